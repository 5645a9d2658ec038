// Cuts a long line, in a thread of its own: see splitAside.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { runnableParts, type SplitOrder } from './runnableParts.ts';

parentPort?.postMessage(runnableParts(workerData as SplitOrder));
