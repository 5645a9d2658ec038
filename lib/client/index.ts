/** A client of pman for programs and pages: `import { PmanClient } from 'pman/client'`. */

export type {
  Backends,
  Capabilities,
  EventPage,
  EventQuery,
  FileList,
  FileStore,
  FindQuery,
  FoundLines,
  Job,
  JobChanges,
  JobEvent,
  JobPage,
  JobQuery,
  KillOrder,
  LinesQuery,
  NewJob,
  Notifications,
  NotifyAgain,
  OutputLine,
  OutputLines,
  Problem,
  RunningJobs,
  SentAgain,
  ServerFacts,
} from '../dialects/v2/shapes.ts';
export type {
  CallOptions,
  EventsOptions,
  FilesOptions,
  FollowOptions,
  JobName,
  OutputName,
  OutputOptions,
  PiecesOptions,
  RunOptions,
} from './callOptions.ts';
export { PmanClientError } from './clientError.ts';
export type { PmanClientOptions } from './connection.ts';
export type { OutputChunk } from './outputFeed.ts';
export type { OutputPiece } from './piecesFeed.ts';
export { PmanClient } from './pmanClient.ts';
export type { Answer, Sending, Transport } from './transport.ts';
