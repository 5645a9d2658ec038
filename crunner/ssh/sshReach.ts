import { remoteScript } from './ssh.ts';
import type { RemoteProcess } from './sshRecords.ts';

/**
 * Shell that defines `t NAME`: it sends a signal to the process group of a command, and once each to what the command has
 * started that left the group (a session of its own, a daemon) and has its mark in its environment, as Linux shows that in
 * /proc; it fails when there is nobody. What has cleaned its environment is out of reach, unless it stayed in the group.
 */
export function defineTell({ processGroup, marker }: RemoteProcess): string {
  const mark = `CRUNNER_SSH=${marker.replace(/:$/, '')}`;
  // A line of /proc/PID/stat: pid (name) state parent group; a name may hold anything.
  return `t() {
r=1; kill -s "$1" -- -${processGroup} 2>/dev/null && r=0
for f in $(grep -lsF '${mark}' /proc/[0-9]*/environ 2>/dev/null); do
l=$(cat "\${f%environ}stat" 2>/dev/null) || continue
set -- "$1" \${l##*) }
test "$4" = ${processGroup} && continue
f=\${f%/environ}; kill -s "$1" "\${f##*/}" 2>/dev/null && r=0
done
return $r
}`;
}

/** Has a signal sent to a command on another host; that there is nobody to get it is no failure. */
export function remoteKillCommand(remote: RemoteProcess, signal: NodeJS.Signals): string {
  return remoteScript([defineTell(remote), `t ${signal.slice(3)}`, 'exit 0'].join('\n'));
}
