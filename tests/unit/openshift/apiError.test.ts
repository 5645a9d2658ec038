import { describe, expect, it } from '@jest/globals';
import { apiError, lacksRight } from '../../../openshift/apiError.ts';

const said = (message: string) => JSON.stringify({ kind: 'Status', message });
const RIGHT = said('jobs.batch is forbidden: User "u" cannot create resource "jobs" in API group');
const QUOTA = said('jobs.batch "x" is forbidden: exceeded quota: small, requested: count/jobs=1');
const RULE = said('jobs.batch "x" is forbidden: violates PodSecurity "restricted:latest"');

describe('an answer of the API server that is no success', () => {
  it.each([
    [401, said('Unauthorized'), 'unavailable'],
    [403, RIGHT, 'unavailable'],
    [403, QUOTA, 'unavailable'],
    [403, RULE, 'bad_request'],
    [404, said('not found'), 'not_found'],
    [409, said('already exists'), 'conflict'],
    [422, said('is invalid'), 'bad_request'],
    [429, said('too many requests'), 'unavailable'],
    [502, '<html>', 'unavailable'],
  ])('of %i, %s, is %s', (status, body, code) => {
    expect(apiError('create job "x"', status, body).code).toBe(code);
  });

  it('tells a right that is missing from other reasons', () => {
    expect(lacksRight(apiError('create job "x"', 403, RIGHT))).toBe(true);
    expect(lacksRight(apiError('create job "x"', 403, QUOTA))).toBe(false);
    expect(lacksRight(apiError('create job "x"', 409, RIGHT))).toBe(false);
  });
});
