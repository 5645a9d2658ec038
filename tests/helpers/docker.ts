import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkout } from './startServer.ts';
import { tempDir } from './tempDir.ts';

/** The engine under test, or undefined. */
export const engine = process.env.PMAN_TEST_DOCKER;

export const engineMissing = () =>
  engine ? undefined : 'PMAN_TEST_DOCKER is not set: tests/engines/docker.sh up';

/** The folder of the engine that tests/engines/docker.sh has started. */
export const engineDir = () => dirname((engine ?? '').replace('unix://', ''));

/** The docker command for the engine at that address; gives what it prints. */
export function dockerAt(host: string | undefined): (...args: readonly string[]) => string {
  const env = { ...process.env, DOCKER_HOST: host, DOCKER_BUILDKIT: '0' };
  return (...args) => execFileSync('docker', args, { env, encoding: 'utf8', stdio: 'pipe' });
}

/** Podman's socket, or undefined. */
export const podman = process.env.PMAN_TEST_PODMAN;

export const podmanMissing = () =>
  podman ? undefined : 'PMAN_TEST_PODMAN is not set: tests/engines/podman.sh up';

/** Runs the docker command against the engine under test; gives what it prints. */
export const docker = dockerAt(engine);

/** An image with busybox and the shell scripts that are given, by their names in /bin. */
export function scriptImage(name: string, scripts: Readonly<Record<string, string>>): void {
  const folder = tempDir();
  const id = docker('create', 'local/busybox:latest', 'true').trim();
  for (const [script, text] of Object.entries(scripts)) {
    writeFileSync(join(folder, script), `#!/bin/sh\n${text}`, { mode: 0o755 });
    docker('cp', join(folder, script), `${id}:/bin/${script}`);
  }
  docker('commit', id, name);
  docker('rm', id);
}

/** The packages that the program `swarm` needs. */
const PACKAGES = ['dockerode', 'commander', 'ini', 'zod', 'winston'];

/**
 * An image with `swarm.py`: our own `swarm`, with this machine's node. Its root is a folder, so that nothing has to be fetched.
 * @param label set when it is to be known as ours
 */
export function managerImage(name: string, label?: string): void {
  const root = tempDir();
  const put = (from: string, to = from) => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    cpSync(from, join(root, to), { recursive: true, dereference: true });
  };
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
  for (const [, file] of libraries.matchAll(/(?:=> |^\s*)(\/\S+)/gm)) if (file) put(file);
  put(process.execPath, '/usr/bin/node');
  put(execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim(), '/usr/bin/env');
  put(join(checkout, 'dist'), '/app/dist');
  put(join(checkout, 'package.json'), '/app/package.json');
  for (const path of packagePaths(PACKAGES)) put(join(checkout, path), `/app/${path}`);
  symlinkSync('/app/dist/bin/swarm.js', join(root, 'usr/bin/swarm.py'));
  const labels = label === undefined ? [] : ['--change', `LABEL ${label}=1`];
  const env = { ...process.env, DOCKER_HOST: engine };
  const tar = ['--change', 'ENV PATH=/usr/bin', ...labels, '-', name];
  const done = spawnSync('sh', ['-c', 'tar -C "$0" -c . | docker import "$@"', root, ...tar], {
    env,
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`no image ${name}: ${done.stderr}`);
}

/** The folders of packages and of all that they need. */
function packagePaths(names: readonly string[], from = ''): readonly string[] {
  const found = new Set<string>();
  const visit = (name: string, parent: string) => {
    const path = [join(parent, 'node_modules', name), join('node_modules', name)].find((at) =>
      existsSync(join(checkout, at, 'package.json')),
    );
    if (path === undefined || found.has(path)) return;
    found.add(path);
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(checkout, path, 'package.json'), 'utf8'),
    ) as { readonly dependencies?: object };
    for (const needed of Object.keys(dependencies)) visit(needed, path);
  };
  for (const name of names) visit(name, from);
  return [...found];
}
