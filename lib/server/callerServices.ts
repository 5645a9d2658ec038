import type { Caller } from '../access/caller.ts';
import type { Services } from '../actions/action.ts';
import { ownRecords } from '../records/ownRecords.ts';

/** The services as a caller sees them: to a token with an auid the jobs of others are not there. */
export function servicesFor(services: Services, { grant }: Caller): Services {
  if (grant?.auid === undefined) return services;
  return { ...services, database: ownRecords(services.database, grant.auid) };
}
