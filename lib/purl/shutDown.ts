import { answerValue } from './answerValue.ts';
import { PurlFailure } from './failure.ts';
import type { Way } from './peer.ts';
import { sendPlainForm } from './plainForm.ts';
import { report } from './talk.ts';

/** Tells the server to quit, and reports as of a message sent. */
export async function shutDown(way: Way): Promise<unknown> {
  try {
    const quit = { action: 'quit', meta: { ctl: { serverCmd: 'quit' } } };
    return answerValue(report(await sendPlainForm(way, quit), false));
  } catch (error) {
    if (!(error instanceof PurlFailure)) throw error;
    return { stdout: error.message, status: false, msg: error.message };
  }
}
