import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPT = join(import.meta.dirname, '..', 'sandbox.sh');

/** The command that runs another one where it can hurt nothing of this machine but that folder. */
export const sandboxed = (folder: string, command: readonly string[]): readonly string[] => [
  'sh',
  SCRIPT,
  folder,
  ...command,
];

/** Why there can be no sandbox here, or undefined. */
export function sandboxMissing(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'pman-sandbox-'));
  const [program = '', ...args] = sandboxed(folder, ['true']);
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  rmSync(folder, { recursive: true, force: true });
  return status === 0 ? undefined : `no namespaces: ${stderr.trim().slice(0, 100)}`;
}
