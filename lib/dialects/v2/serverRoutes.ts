import { statfsSync } from 'node:fs';
import { nearestFolder } from '../../host/folders.ts';
import { VERSION } from '../../version.ts';
import { defineRoute } from './apiRoute.ts';
import { capabilitiesSchema, serverSchema } from './serverSchemas.ts';

export const getCapabilities = defineRoute({
  method: 'GET',
  path: '/api/v2/capabilities',
  operation: 'getCapabilities',
  summary: 'Tells what runs jobs here, and what each of these can do.',
  answers: { 200: { description: 'The back-ends.', schema: capabilitiesSchema } },
  handle: (_call, { jobs }) => ({ status: 200, body: { backends: jobs.capabilities } }),
});

export const getServer = defineRoute({
  method: 'GET',
  path: '/api/v2/server',
  operation: 'getServer',
  summary: 'Tells which pman this is, and how it does.',
  answers: { 200: { description: 'How it does.', schema: serverSchema } },
  handle(_call, { jobs, database, events, startedAtMs, limits }) {
    const { running, waiting } = jobs.counts;
    const { bavail, blocks, bsize } = statfsSync(nearestFolder(database.folder));
    return {
      status: 200,
      body: {
        version: VERSION,
        startedAt: new Date(startedAtMs).toISOString(),
        uptimeSeconds: (Date.now() - startedAtMs) / 1000,
        jobs: { running, waiting, recorded: database.roots().length },
        disk: {
          freeBytes: bavail * bsize,
          totalBytes: blocks * bsize,
          problem: database.problem ?? null,
        },
        events: { oldest: events.oldest, newest: events.newest },
        backends: jobs.capabilities.map(({ name }) => name),
        limits,
        limitedBy: jobs.enforcers,
      },
    };
  },
});
