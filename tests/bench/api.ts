import { benchEvents } from './apiEvents.ts';
import { benchPages } from './apiPages.ts';
import { benchRequests } from './apiRequests.ts';
import { machine } from './programs.ts';

/**
 * What /api/v2 costs: single requests beside a bare node:http, pages of a long history, events to many listeners.
 * Usage: npm run bench:api [-- requests [<seconds a turn>] | pages [<jobs>] | events [<seconds>]]; without words all of them.
 */
const [wanted, given] = process.argv.slice(2);
const number = given === undefined ? undefined : Number(given);
const benches = {
  requests: () => benchRequests(number ?? 3),
  pages: () => benchPages(number ?? 100_000),
  events: () => benchEvents(number ?? 20),
};

console.log(machine());
for (const [name, bench] of Object.entries(benches)) {
  if (wanted === undefined || wanted === name) await bench();
}
