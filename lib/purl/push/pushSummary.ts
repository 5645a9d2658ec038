import type { SendPlan } from '../../transfer/send.ts';
import { sizeText } from '../../transfer/sizeText.ts';
import { answerValue, stateOf } from '../answerValue.ts';
import { report } from '../talk.ts';
import type { Done } from '../transferOptions.ts';
import type { PostedPush } from './postPush.ts';

/** What is reported of a push that arrived. */
export function pushSummary(
  plan: SendPlan,
  zipName: string,
  { answer, bytes }: PostedPush,
  raw: boolean,
): Done {
  const local = localReport(plan, zipName, bytes);
  const remoteServer = answerValue(report(answer.text, raw));
  const { status, msg } = stateOf(remoteServer);
  return { status, msg, report: { compress: { local, remoteServer, status, msg } } };
}

/** The reports about zip and encoding. */
function localReport(plan: SendPlan, zipName: string, bytes: number) {
  const packed = plan.encoding === 'base64' ? Math.floor(bytes * 0.75) : bytes;
  const zip = {
    msg: 'zip operation successful',
    fileProcessed: zipName,
    status: true,
    path: plan.path,
    zipmode: 'w',
    filesize: sizeText(packed),
  };
  const encoding = { msg: 'Encode successful', fileProcessed: `${zipName}.b64`, status: true };
  return {
    ...(plan.archive ? { zip } : {}),
    ...(plan.encoding === 'base64' ? { encoding } : {}),
  };
}
