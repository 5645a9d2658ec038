import { describe, expect, it } from '@jest/globals';
import { engineError } from '../../../../swarm/client/engineError.ts';

const address = { kind: 'socket', path: '/engine.sock' } as const;
const answered = (statusCode: number, message: string) =>
  Object.assign(new Error(`(HTTP code ${statusCode}) server error - ${message} `), { statusCode });

describe('engineError', () => {
  it.each([
    [400, 'invalid', 'bad_request'],
    [404, 'no such service', 'not_found'],
    [409, 'name conflicts with an existing object', 'conflict'],
    [500, 'it broke', 'internal'],
    [500, 'the container name "x" is already in use by 1: that name is already in use', 'conflict'],
    [503, 'this node is not a swarm manager', 'unavailable'],
  ])("reads an engine's %i, %j, as %s", (status, said, code) => {
    const error = engineError('make it', address, answered(status, said));
    expect(error).toMatchObject({ code, message: `cannot make it: ${said}` });
  });

  it('names the engine that does not answer', () => {
    const error = engineError('make it', address, new Error('ECONNREFUSED'));
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('no answer from unix:///engine.sock: ECONNREFUSED');
  });
});
