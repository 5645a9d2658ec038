import { describe, expect, it } from '@jest/globals';
import { readFilesFlags, readPurlFlags } from '../../../../lib/config/purl.ts';

describe('the command line of purl', () => {
  it.each(['cacert', 'cert', 'key', 'output'])('refuses an empty --%s', (name) => {
    const refused = `--${name} is empty: it needs a file`;
    expect(() => readPurlFlags([`--${name}`, ''], 'purl')).toThrow(refused);
    expect(() => readPurlFlags([`--${name}=`], 'purl')).toThrow(refused);
  });

  it('takes an empty text for "not given" where the original does', () => {
    const line = readPurlFlags(['--auth', '', '--jsonwrapper', '', '--httpProxy', ''], 'purl');
    expect(line).toMatchObject({ config: { auth: '', jsonwrapper: '', httpProxy: '' } });
  });

  it('refuses an empty path, which would be the folder that it is called in', () => {
    const refused = 'one of the two words is empty';
    expect(() => readFilesFlags(['', 'here:x'], 'push', 'purl')).toThrow(refused);
    expect(() => readFilesFlags(['here:x', ''], 'pull', 'purl')).toThrow(refused);
    expect(() => readFilesFlags(['--cacert=', 'a', 'here:x'], 'push', 'purl')).toThrow('--cacert');
  });
});
