import { describe, expect, it } from '@jest/globals';
import { PmanClientError } from '../../../../lib/client/index.ts';
import { readWords } from '../../../../lib/verbs/flagWords.ts';
import { JOB_FLAGS } from '../../../../lib/verbs/newJobFlags.ts';
import { refusedFlag } from '../../../../lib/verbs/refusedFlag.ts';

const told = (argv: readonly string[], message: string, hint = 'see /openapi.json') => {
  const error = new PmanClientError('bad_request', message, { status: 400, hint });
  const said = refusedFlag(error, readWords(argv, JOB_FLAGS));
  return said === error ? 'as it is' : said;
};

describe('what the server says of a member', () => {
  it.each([
    [['--memory', 'x'], '"memory": is not like 512Mi', '--memory "x" is not like 512Mi'],
    [['--cpus', '0'], '"cpus": has to be more than 0', '--cpus "0" has to be more than 0'],
    [['--name', 'x'], '"jid": has more', '--name "x" has more'],
    [['--label', 'a=b', '--label', 'c=d'], '"labels.c": is long', '--label is long'],
    [['--max-output', '1'], '"maxOutput" is none', '--max-output "1" is none'],
  ])('is said of the flag: %j', (argv, message, expected) => {
    expect(told(argv, `the body: ${message}`)).toMatchObject({
      ...{ code: 'usage', message: expected },
    });
  });

  it('stays as it is where no flag was given, or something else is wrong', () => {
    expect(told([], 'the body: "memory": is not like 512Mi')).toBe('as it is');
    expect(told(['--cwd', '/x'], '"cwd": there is no /x')).toBe('as it is');
    expect(told(['--nice', '5'], 'the body: "nice": is not for containers', 'leave it out')).toBe(
      'as it is',
    );
  });
});
