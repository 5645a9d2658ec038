import type { RequestHead } from '../gateway/types.ts';

/** The encodings that a client takes; `q=0` means that it does not (RFC 9110, 12.5.3). A star names none of them. */
export function acceptedEncodings(header = ''): ReadonlySet<string> {
  const names = header.split(',').flatMap((entry) => {
    const [name = '', ...parameters] = entry.toLowerCase().split(';');
    const isRefused = parameters.some((one) => /^\s*q\s*=\s*0(\.0*)?\s*$/.test(one));
    return isRefused ? [] : [name.trim()];
  });
  return new Set(names);
}

/** The value of a header; its name in small letters. */
export function headerOf(
  { rawHeaders }: Pick<RequestHead, 'rawHeaders'>,
  wanted: string,
): string | undefined {
  return rawHeaders.find(([name]) => name.toLowerCase() === wanted)?.[1];
}
