import { answerValue } from './answerValue.ts';
import { type FailureKind, PurlFailure } from './failure.ts';
import type { Way } from './peer.ts';
import { sendPlainForm } from './plainForm.ts';
import { report } from './talk.ts';

/** What a server looks like that has ended: a pfioh without --forever ends by itself, a Python one before it answers. */
const GONE: ReadonlySet<FailureKind> = new Set<FailureKind>(['connect', 'badAnswer', 'partial']);

/** Tells the server to quit, and reports as of a message sent. It failed when the server is there and does not quit. */
export async function shutDown(
  way: Way,
): Promise<{ readonly report: unknown; readonly failure?: PurlFailure }> {
  try {
    const quit = { action: 'quit', meta: { ctl: { serverCmd: 'quit' } } };
    const { status, text } = await sendPlainForm(way, quit);
    const said = answerValue(report(text, false));
    if (status < 400) return { report: said };
    const why = `${way.url.host} does not quit: it answered ${status}`;
    return { report: said, failure: new PurlFailure('httpStatus', why) };
  } catch (error) {
    if (!(error instanceof PurlFailure)) throw error;
    const said = { stdout: error.message, status: false, msg: error.message };
    return GONE.has(error.kind) ? { report: said } : { report: said, failure: error };
  }
}
