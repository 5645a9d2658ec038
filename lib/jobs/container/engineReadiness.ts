import { withinMs } from '../../concurrency/withinMs.ts';
import { messageOf, PmanError, systemErrorCode } from '../../errors.ts';
import type { BackendReadiness } from '../backend.ts';
import type { Engine } from './engine.ts';
import { noAnswer } from './noAnswer.ts';

/** No job is called so. To look for a name is the smallest question that every engine answers. */
const NOBODY = 'pman-is-it-there';
/** How long that may take, in milliseconds. */
const PATIENCE_MS = 5000;

/** Asks an engine whether it is there. It takes some seconds at most, and never rejects. */
export async function engineReadiness(open: () => Promise<Engine>): Promise<BackendReadiness> {
  try {
    const asked = open().then((engine) => engine.owner(NOBODY));
    await withinMs(PATIENCE_MS, asked, () => noAnswer(PATIENCE_MS));
    return { state: 'ready' };
  } catch (error) {
    const { hint, cause } = error instanceof PmanError ? error : {};
    // Its socket or its file of settings: perhaps nobody has ever installed one.
    const state = systemErrorCode(cause) === 'ENOENT' ? 'absent' : 'failing';
    // What was asked to find out is of no interest.
    const problem = messageOf(error).replace(/^cannot [^:]*: /, '');
    return { state, problem, ...(hint === undefined ? {} : { hint }) };
  }
}
