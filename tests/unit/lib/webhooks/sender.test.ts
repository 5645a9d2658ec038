import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { EventLog } from '../../../../lib/events/eventLog.ts';
import { silentLogger } from '../../../../lib/log.ts';
import { AllowedHosts } from '../../../../lib/webhooks/allowedHosts.ts';
import { NotifyFile } from '../../../../lib/webhooks/notifyFile.ts';
import { Sender } from '../../../../lib/webhooks/sender.ts';

import { tempDir } from '../../../helpers/tempDir.ts';

const silentLog = silentLogger();

it('an endpoint that wants none of many events goes through them in turns with other work', async () => {
  const events = new EventLog({ folder: join(tempDir(), 'events'), recent: 1 });
  for (let i = 0; i < 200; i += 1) {
    events.append(Array.from({ length: 200 }, () => ({ type: 'accepted', id: 'a' }) as const));
  }
  const subscription = {
    ...{ id: '@rare', url: 'https://hooks.example.org/', events: ['kill_ordered' as const] },
    ...{ secretName: 'default', seen: 0, isClosed: false, isStopped: false, deliveries: [] },
  };
  let turns = 0;
  await new Promise<void>((resolve) => {
    const sender = new Sender({
      ...{ events, hosts: new AllowedHosts([]), file: new NotifyFile(undefined, silentLog) },
      ...{ retrySeconds: [], log: silentLog, settled: () => undefined },
      idle: () => resolve(),
    });
    const count = () => {
      turns += 1;
      if (subscription.seen < 40_000) setImmediate(count);
    };
    setImmediate(count);
    sender.wake(subscription);
  });
  expect(subscription.seen).toBe(40_000);
  expect(turns).toBeGreaterThan(3);
  events.close();
});
