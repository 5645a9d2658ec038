import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { socketPath } from '../../../../lib/host/socketPath.ts';
import { itWithEngine, notLinux } from '../../../helpers/engine.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

describe('socketPath', () => {
  it('lies in the folder', () => {
    expect(socketPath('/srv/pman.spool', 'runner')).toBe('/srv/pman.spool/runner.sock');
  });

  itWithEngine(
    'leads into the folder, and nowhere else, when its path is too long',
    notLinux,
    () => {
      const folder = tempDir('x'.repeat(120));
      const path = socketPath(folder, 'pman');
      expect(Buffer.byteLength(path)).toBeLessThan(100);
      expect(path.startsWith(tmpdir())).toBe(false);
      expect(socketPath(folder, 'pman')).toBe(path);
      writeFileSync(path, '');
      expect(readdirSync(folder)).toEqual(['pman.sock']);
    },
  );

  itWithEngine('is a path for a server and its clients', notLinux, async () => {
    const folder = tempDir('x'.repeat(120));
    const server = createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => server.listen(socketPath(folder, 'runner'), resolve));
    expect(existsSync(join(folder, 'runner.sock'))).toBe(true);
    const client = createConnection(socketPath(folder, 'runner')).setEncoding('utf8');
    let said = '';
    for await (const chunk of client) said += String(chunk);
    expect(said).toBe('hello');
    await new Promise((resolve) => server.close(resolve));
    expect(readdirSync(folder)).toEqual([]);
  });

  itWithEngine('leads into the folder that there is now', notLinux, () => {
    const folder = tempDir('x'.repeat(120));
    socketPath(folder, 'pman');
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    writeFileSync(socketPath(folder, 'pman'), '');
    expect(readdirSync(folder)).toEqual(['pman.sock']);
  });
});
