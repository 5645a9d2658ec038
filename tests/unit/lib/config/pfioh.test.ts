import { describe, expect, it } from '@jest/globals';
import { readPfiohFlags } from '../../../../lib/config/pfioh.ts';

describe('readPfiohFlags', () => {
  it.each(['::1', '[::1]'])('takes %s as an address, as it stands in a URL or alone', (ip) => {
    expect(readPfiohFlags(['--ip', ip])).toMatchObject({ kind: 'run', config: { ip: '::1' } });
  });
});
