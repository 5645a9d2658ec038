import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { push } from '../../../../lib/verbs/moveFiles.ts';
import { run } from '../../../../lib/verbs/run.ts';
import { selectJobs } from '../../../../lib/verbs/selectors.ts';
import type { Session } from '../../../../lib/verbs/session.ts';
import { ownStreams } from '../../../../lib/verbs/streams.ts';
import { runToken } from '../../../../lib/verbs/tokenVerb.ts';
import type { Verb } from '../../../../lib/verbs/verb.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const streams = ownStreams({});
const call = (argv: readonly string[]): Parameters<Verb['run']>[0] => ({
  ...{ argv, env: {}, streams },
});

describe('a variable that is not set leaves an empty word, which is refused', () => {
  it.each(['push', 'pull', 'into', 'server', 'token', 'image', 'name', 'cwd', 'key', 'files'])(
    'for --%s of run',
    async (name) => {
      await expect(run.run(call(['-f', `--${name}`, '', '--', 'ls']))).rejects.toMatchObject({
        ...{ code: 'usage', message: expect.stringContaining(`--${name} is empty`) },
      });
    },
  );

  it('for the name of a job', async () => {
    await expect(selectJobs({} as Session, ['a', ''])).rejects.toMatchObject({ code: 'usage' });
  });

  it('for a path that is moved', async () => {
    await expect(push.run(call(['', 'place']))).rejects.toMatchObject({ code: 'usage' });
  });

  it.each(['auid', 'images', 'mounts', 'command', 'shareDirs'])(
    'for a limit of a token, --%s: it would limit nothing',
    async (name) => {
      const path = ['--tokenPath', join(tempDir(), 't.cfg')];
      const argv = ['add', 'x', '--scopes', 'run', `--${name}`, '', ...path];
      await expect(runToken(argv, {})).rejects.toThrow(`token: --${name} is empty`);
    },
  );
});
