/** How fast `hello` is while 2,000 idle, 1,000 slow and 500 following clients are connected: `npm run bench:crowd`. */
import { endureCrowd } from '../attack/manyClients.ts';
import { request } from '../helpers/http.ts';
import { startServer } from '../helpers/startServer.ts';

const crowd = { idle: 2000, slow: 1000, following: 500 };
const hello = { payload: { action: 'hello', meta: { askAbout: 'timestamp' } } };
const server = await startServer();
const alone: number[] = [];
for (let i = 0; i < 200; i += 1) {
  const began = performance.now();
  await request(server.port, 'POST', '/', { body: hello });
  alone.push(performance.now() - began);
}
const { helloMs, ...rest } = await endureCrowd(server, crowd);
const figures = (times: readonly number[]) => {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  return `median ${at(0.5)}, 99 % ${at(0.99)}, longest ${at(1)} ms of ${sorted.length}`;
};
console.log(`hello alone: ${figures(alone)}`);
console.log(`hello in the crowd: ${figures(helloMs)}`);
console.log(JSON.stringify(rest));
await server.stop();
server.endJobs();
const wanted = { idleConnected: crowd.idle, slowAnswered: crowd.slow };
for (const [name, count] of Object.entries({ ...wanted, followersServed: crowd.following })) {
  if (rest[name as keyof typeof rest] === count) continue;
  console.error(`${name} is not ${count}: the times above are not those of the whole crowd`);
  process.exitCode = 1;
}
