import type { ListedEntry } from './entryList.ts';

/** How the content of an entry is packed. */
export type Packing = 'stored' | 'deflated' | 'bzip2';

const KNOWN = new Map<number, Packing>([
  [0, 'stored'],
  [8, 'deflated'],
  [12, 'bzip2'],
]);

/** APPNOTE.TXT 4.4.5. */
const NAMES = new Map<number, string>([
  [1, 'Shrink'],
  [2, 'Reduce'],
  [3, 'Reduce'],
  [4, 'Reduce'],
  [5, 'Reduce'],
  [6, 'Implode'],
  [9, 'Deflate64'],
  [10, 'DCL Implode'],
  [14, 'LZMA'],
  [16, 'CMPSC'],
  [18, 'TERSE'],
  [19, 'LZ77'],
  [20, 'Zstandard'],
  [93, 'Zstandard'],
  [94, 'MP3'],
  [95, 'XZ'],
  [96, 'JPEG'],
  [97, 'WavPack'],
  [98, 'PPMd'],
]);

const ENCRYPTED = 1;
const STRONG = 1 << 6;
const AES_METHOD = 99;
const AES_FIELD = 0x9901;
const AES_BITS = [0, 128, 192, 256];

/** How an entry is packed, or why it cannot be read. */
export function packingOf(entry: ListedEntry): Packing | { readonly unreadable: string } {
  const { flags, method, extras } = entry;
  if (method === AES_METHOD) {
    const strength = extras.find(({ id }) => id === AES_FIELD)?.data[4] ?? 0;
    const bits = AES_BITS[strength] ?? 0;
    return { unreadable: `it is encrypted (AES${bits === 0 ? '' : `-${bits}`})` };
  }
  if ((flags & ENCRYPTED) !== 0) {
    return { unreadable: `it is encrypted (${(flags & STRONG) === 0 ? 'ZipCrypto' : 'PKWARE'})` };
  }
  const name = NAMES.get(method);
  const number = `compression method ${method}`;
  return (
    KNOWN.get(method) ?? {
      unreadable: `its ${name === undefined ? number : `${number}, ${name},`} is not read here`,
    }
  );
}
