import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { releaseFilePages, unchangedMappings } from '../../../../lib/host/filePages.ts';

const SMAPS = `00400000-00600000 r--p 00000000 fe:00 1234                               /usr/bin/my node
Size:               2048 kB
Rss:                1024 kB
Anonymous:             0 kB
VmFlags: rd mr mw me sd
00600000-00601000 r--p 00200000 fe:00 1234                               /usr/bin/my node
Rss:                   4 kB
Anonymous:             4 kB
00601000-00602000 rw-p 00201000 fe:00 1234                               /usr/bin/my node
Rss:                   4 kB
Anonymous:             0 kB
01000000-01100000 r--p 00000000 00:00 0
Anonymous:             0 kB
02000000-02100000 r-xp 00000000 00:00 0                                  [vdso]
Anonymous:             0 kB
7f00000000-7f00003000 r-xp 00000000 fe:00 99                             /lib/libc.so.6
Anonymous:             0 kB
`;

describe('unchangedMappings', () => {
  it('are those of files alone, of which nothing was changed or can be', () => {
    expect(unchangedMappings(SMAPS)).toEqual([
      { start: 0x00400000, length: 0x200000 },
      { start: 0x7f00000000, length: 0x3000 },
    ]);
  });

  it('are none where the system tells nothing', () => {
    expect(unchangedMappings('')).toEqual([]);
  });
});

describe('releaseFilePages', () => {
  const fileKb = () => {
    const [, kb] = /^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
    return Number(kb);
  };

  it('takes the pages of programs out of the memory of this process, which goes on', () => {
    const before = fileKb();
    releaseFilePages();
    expect(fileKb()).toBeLessThan(before / 2);
    expect(new Intl.NumberFormat('en').format(1234567)).toBe('1,234,567');
  });
});
