import type { Action } from './action.ts';
import { dbctl } from './dbctl.ts';
import { deleteJob } from './delete.ts';
import { done } from './done.ts';
import { fileiosetup } from './fileiosetup.ts';
import { get } from './get.ts';
import { hello } from './hello.ts';
import { info } from './info.ts';
import { kill } from './kill.ts';
import { quit } from './quit.ts';
import { result } from './result.ts';
import { run } from './run.ts';
import { search } from './search.ts';
import { status } from './status.ts';

/** Every action by its name on the wire. Names are case-sensitive (protocol a.3). */
export const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['run', run],
  ['status', status],
  ['result', result],
  ['kill', kill],
  ['done', done],
  ['info', info],
  ['search', search],
  ['get', get],
  ['hello', hello],
  ['DBctl', dbctl],
  ['delete', deleteJob],
  ['fileiosetup', fileiosetup],
  ['quit', quit],
]);
