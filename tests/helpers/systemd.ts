import { spawnSync } from 'node:child_process';

/** The first process of the private systemd that tests/engines/systemd.sh has started; or undefined. */
const firstProcess = process.env.PMAN_TEST_SYSTEMD;

export const systemdMissing = () =>
  firstProcess ? undefined : 'PMAN_TEST_SYSTEMD is not set: tests/engines/systemd.sh up';

export interface Said {
  readonly status: number | null;
  /** Both streams. */
  readonly text: string;
}

/** Runs a line in a shell inside, as root, and says how it ended. */
export function tried(line: string): Said {
  const { status, stdout, stderr } = spawnSync(
    'nsenter',
    ['--target', firstProcess ?? '', '--all', '--root', '--wd', 'sh', '-c', line],
    { encoding: 'utf8' },
  );
  return { status, text: stdout + stderr };
}

/** Runs a line in a shell inside, as root, and gives what it has written. Throws when it fails. */
export function inside(line: string): string {
  const { status, text } = tried(line);
  if (status !== 0) throw new Error(`${line} ended with ${status}: ${text}`);
  return text.trim();
}
