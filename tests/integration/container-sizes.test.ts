import { afterEach, expect, it, jest } from '@jest/globals';
import { ended, metaOf, newId, run, start, stopAll } from '../helpers/containerJobs.ts';
import { engineMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { act, replyOf } from '../helpers/pman.ts';

const KIB = 1024;

describeWithEngine('sizes and bytes of a container job', engineMissing, () => {
  jest.setTimeout(180_000);
  afterEach(stopAll);

  const raw = async (port: number, jid: string) => {
    const found = await fetch(`http://127.0.0.1:${port}/api/v1?jid=${jid}`);
    const text = await found.text();
    const [root = ''] = /\d{14}\.\d{6}_[\w-]+/.exec(text) ?? [];
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${root}/stdout`);
    return Buffer.from(await answer.arrayBuffer());
  };

  it('are kept, of streams that are opened by name too', async () => {
    const server = await start('docker');
    const script = [
      'echo first; echo second > /dev/stdout; echo third',
      String.raw`printf '1%%\r2%%\r\0\377\303(\n'`,
      'head -c 10000000 /dev/zero | tr "\\0" x',
    ].join('; ');
    const jid = await run(server, { cmd: script, meta: { shell: true } });
    expect(await ended(server, jid)).toMatchObject({ status: 'finishedSuccessfully' });
    // Of a container the record has the output: as text, and of a long one the beginning and the end.
    const text = (await raw(server.port, jid)).toString();
    const head = 'first\nsecond\nthird\n1%\r2%\r\0\ufffd\ufffd(\n';
    expect(text.slice(0, head.length)).toBe(head);
    expect(text).toMatch(/x\n\[… .*only 1048576 bytes are kept …\]\nx+$/);
  });

  it('reach it up to what programs can have, and are refused beyond', async () => {
    const server = await start('docker');
    const word = 'x'.repeat(127 * KIB);
    const env = { A: 'y'.repeat(100 * KIB) };
    const jid = await run(server, { cmd: `sh -c 'echo \${#0} \${#A}' ${word}`, target: { env } });
    expect(await ended(server, jid)).toMatchObject({
      ...{ status: 'finishedSuccessfully', logs: expect.stringContaining('130048 102400') },
    });
    const refusal = async (job: object) => {
      const answer = await act(server, 'run', metaOf({ cmd: 'true', jid: newId(), ...job }));
      return [answer.status, (replyOf(answer).error as { message: string }).message];
    };
    expect(await refusal({ cmd: `echo ${'x'.repeat(128 * KIB)}` })).toEqual([
      ...[400, expect.stringContaining('a word of more than 128 KiB')],
    ]);
    expect(await refusal({ target: { env: { A: 'x'.repeat(128 * KIB) } } })).toEqual([
      ...[400, expect.stringContaining('128 KiB')],
    ]);
    expect(await refusal({ cmd: 'echo a\0b' })).toEqual([400, expect.stringContaining('NUL')]);
  });
});
