import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { defaultDatabase } from '../../../../lib/config/databasePlace.ts';

const HOME = '/home/me';

describe('defaultDatabase', () => {
  it.each([
    [{ HOME, PMAN_HOME: '/srv/pman', XDG_STATE_HOME: '/s' }, 1000, '/srv/pman/db'],
    [{ HOME, XDG_STATE_HOME: '/s' }, 1000, '/s/pman/db'],
    [{ HOME, XDG_STATE_HOME: '/s' }, 0, '/s/pman/db'],
    [{ HOME, XDG_STATE_HOME: 'relative' }, 1000, '/home/me/.local/state/pman/db'],
    [{ HOME }, 1000, '/home/me/.local/state/pman/db'],
    [{ HOME: '/root' }, 0, '/var/lib/pman/db'],
    [{ HOME, PMAN_HOME: '' }, 1000, '/home/me/.local/state/pman/db'],
  ])('with %j is, for the uid %s, %s', (env, uid, place) => {
    expect(defaultDatabase(env, uid)).toBe(place);
  });

  it('asks the system for the home of a user who has no HOME', () => {
    expect(defaultDatabase({}, 1000)).toBe(join(homedir(), '.local/state/pman/db'));
  });
});
