// Reads and finds lines of outputs, in a thread of its own: see lineThread.ts.
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import { LineIndexes } from './lineIndexes.ts';
import type { Answered, Asked, LineOrder } from './lineOrders.ts';
import { searchLines } from './lineSearch.ts';

const indexes = new LineIndexes();

function done(order: LineOrder) {
  if (order.do === 'read') return indexes.read(order);
  const until = performance.now() + order.limitMs;
  return searchLines(order.parts, { ...order, isEnough: () => performance.now() > until });
}

parentPort?.on('message', ({ number, order }: Asked) => {
  let answered: Answered;
  try {
    answered = { number, answer: done(order) };
  } catch (error) {
    answered = { number, error: messageOf(error) };
  }
  parentPort?.postMessage(answered);
});
