import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SshTranscript } from '../../../../crunner/ssh/sshTranscript.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const MARKER = 'crunner-1-2:';
const WORDS = `Welcome\n${MARKER}pid 12 13 14;some words ${MARKER.slice(0, 5)} and\nmore${MARKER}end 7;tail`;
const TEXT = `some words ${MARKER.slice(0, 5)} and\nmoretail`;

const paths = () => {
  const folder = tempDir();
  return { ssh: join(folder, '0.ssh'), err: join(folder, '0.err') };
};
const readAll = (transcript: SshTranscript) => {
  while (transcript.read());
};

describe('SshTranscript', () => {
  it('parts what the command says from what is said about it, wherever it is cut', () => {
    const { ssh, err } = paths();
    fc.assert(
      fc.property(fc.array(fc.nat(WORDS.length), { maxLength: 4 }), (places) => {
        writeFileSync(err, '');
        const transcript = SshTranscript.create(ssh, err, MARKER);
        const cuts = [0, ...places.sort((a, b) => a - b), WORDS.length];
        for (const [i, cut] of cuts.slice(1).entries()) {
          appendFileSync(ssh, WORDS.slice(cuts[i], cut));
          readAll(transcript);
        }
        transcript.end();
        expect(readFileSync(err, 'utf8')).toBe(TEXT);
        expect(transcript).toMatchObject({
          ...{ returncode: 7, preamble: 'Welcome\n' },
          remote: { pid: 12, processGroup: 13, wrapperPid: 14, marker: MARKER },
        });
      }),
      { numRuns: 60 },
    );
  });

  it('is gone on with by a later reader, which adds just what is missing', () => {
    const { ssh, err } = paths();
    fc.assert(
      fc.property(fc.nat(WORDS.length), fc.nat(TEXT.length), (cut, kept) => {
        writeFileSync(err, '');
        const first = SshTranscript.create(ssh, err, MARKER);
        appendFileSync(ssh, WORDS.slice(0, cut));
        readAll(first);
        // It was killed, perhaps before its last write.
        truncateSync(err, Math.min(kept, readFileSync(err).length));
        appendFileSync(ssh, WORDS.slice(cut));
        const second = SshTranscript.open(ssh, err);
        if (second === undefined) throw new Error('the transcript is not found');
        readAll(second);
        second.end();
        expect(readFileSync(err, 'utf8')).toBe(TEXT);
        expect(second).toMatchObject({ remote: { marker: MARKER }, returncode: 7 });
      }),
      { numRuns: 60 },
    );
  });

  it("has ssh's own words as the error output of a command that never began", () => {
    const { ssh, err } = paths();
    const transcript = SshTranscript.create(ssh, err, MARKER);
    appendFileSync(ssh, 'Permission denied\n');
    readAll(transcript);
    expect(readFileSync(err, 'utf8')).toBe('');
    transcript.end();
    expect(readFileSync(err, 'utf8')).toBe('Permission denied\n');
    expect(transcript.remote).toBeUndefined();
  });

  it('is not there when no part was started', () => {
    const { ssh, err } = paths();
    expect(SshTranscript.open(ssh, err)).toBeUndefined();
    expect(existsSync(err)).toBe(false);
  });
});
