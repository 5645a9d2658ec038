import { signsOf, UNICODE_SIGNS } from '../../terminal/signs.ts';
import { ASCII_SIGNS, type Signs, UTF8_SIGNS } from './transferLine.ts';
import {
  jsonShow,
  linesShow,
  redrawnShow,
  silentShow,
  type Terminal,
  type TransferShow,
} from './transferShow.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What a terminal can show, by the variables of the locale. */
export function signsFor(env: Env): Signs {
  return signsOf(env) === UNICODE_SIGNS ? UTF8_SIGNS : ASCII_SIGNS;
}

/** How a transfer tells where it is: one line drawn again on a terminal, else lines now and then. */
export function showFor(
  out: Terminal,
  { json, quiet }: { readonly json: boolean; readonly quiet: boolean },
  env: Env,
): TransferShow {
  if (json) return jsonShow(out);
  if (quiet) return silentShow;
  return out.isTTY && env.TERM !== 'dumb' ? redrawnShow(out, signsFor(env)) : linesShow(out);
}
