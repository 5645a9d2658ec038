/** What of the client needs Node: `import { push, pull } from 'pman/client/files'`. */

export {
  type FailureKind,
  type Progress,
  PurlFailure,
  pull,
  push,
  type TransferReport,
  type TransferRequest,
} from './purlTransfer.ts';
