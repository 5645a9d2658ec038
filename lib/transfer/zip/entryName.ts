import { crc32 } from 'node:zlib';
import type { ListedEntry } from './entryList.ts';

/** The characters 128 to 255 of code page 437, in which names are unless it is said otherwise (APPNOTE.TXT, D). */
const UPPER_437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

const UTF8_NAME = 1 << 11;
const UNICODE_PATH = 0x7075;
/** Systems on which `\` parts names: DOS, OS/2, Windows NTFS, VFAT. */
const DOS_SYSTEMS = new Set([0, 6, 10, 14]);

/**
 * The name of an entry, as text. The programs that make archives name them in UTF-8 and say so, in a field of their
 * own that says so (Info-ZIP), in UTF-8 without saying so, or in the code page of DOS. DOS programs may part names
 * with `\`.
 */
export function entryName(entry: ListedEntry): string {
  const text = unicodePath(entry) ?? utf8(entry.name) ?? codePage437(entry.name);
  const isOfDos = DOS_SYSTEMS.has(entry.madeBy >>> 8);
  return isOfDos && !text.includes('/') ? text.replaceAll('\\', '/') : text;
}

/** What the field of Info-ZIP says, when it is about this name (APPNOTE.TXT 4.6.9) and nothing else says UTF-8. */
function unicodePath({ name, flags, extras }: ListedEntry): string | undefined {
  const field = extras.find(({ id }) => id === UNICODE_PATH)?.data;
  if (field === undefined || field.length < 6 || (flags & UTF8_NAME) !== 0) return undefined;
  if (field[0] !== 1 || field.readUInt32LE(1) !== crc32(name)) return undefined;
  return utf8(field.subarray(5));
}

function utf8(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

function codePage437(bytes: Buffer): string {
  return Array.from(bytes, (byte) =>
    byte < 128 ? String.fromCharCode(byte) : UPPER_437.charAt(byte - 128),
  ).join('');
}
