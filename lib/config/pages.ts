import { z } from 'zod';

const pieces = (text: string) => text.split(/[\s,]+/).filter((piece) => piece !== '');

/**
 * The value of `--allowOrigin`: origins as browsers write them, with commas between.
 * @param flag what the message of a refusal begins with
 */
export const originList = (flag = '') =>
  z.string().transform((text, context) =>
    pieces(text).map((piece) => {
      const origin = /^https?:/i.test(piece) && URL.canParse(piece) ? new URL(piece).origin : '';
      if (origin === piece.toLowerCase().replace(/\/$/, '')) return origin;
      const message = `${flag}is no list of origins such as http://host.example:8080`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }),
  );

/**
 * The value of `--allowHost`: names of this server, with commas between.
 * @param flag what the message of a refusal begins with
 */
export const hostList = (flag = '') =>
  z.string().transform((text, context) =>
    pieces(text).map((piece) => {
      if (/^[^:/@[\]]+$/.test(piece)) return piece.toLowerCase();
      const message = `${flag}is no list of host names (without ports)`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }),
  );

/** What the help says of them. */
export const pageFlags = {
  allowOrigin:
    'origins (http://host:port) of web pages that may use this server, with commas between (default: none but its own)',
  allowHost:
    'names with a dot under which this server may be asked without tokens, with commas between (default: none)',
} as const;

/** Puts the values of a flag that is given several times into one list. */
export const collected = (value: string, before: string): string =>
  before === '' ? value : `${before},${value}`;
