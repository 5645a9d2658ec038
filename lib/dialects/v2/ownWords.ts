/** What a job of `/api/v2` calls the members of an envelope's `meta`; the others have the same names. */
const MEMBERS: ReadonlyMap<string, string> = new Map([
  ['cmd', 'command'],
  ['memory_limit', 'memory'],
  ['cpu_limit', 'cpus'],
  ['gpu_limit', 'gpus'],
  ['number_of_workers', 'workers'],
  ['max_output', 'maxOutput'],
  ['key', 'Idempotency-Key'],
  ['container', 'image'],
  ['container.target.image', 'image'],
  ['container.target.env', 'env'],
  ['container.target.user', 'user'],
  ['container.target.mounts', 'mounts'],
  ['container.target.labels', 'labels'],
  ['container.manager.env.shareDir', 'shareDir'],
  ['container.manager.env.serviceName', 'jid'],
]);

/**
 * What an action of the envelope says of a request, in the words of `/api/v2`: its clients have sent no `meta`. The checks are
 * the same, and they name what they look at.
 */
export function inOwnWords(said: string): string {
  return said
    .replace(/^(?:run|kill|delete): (?="?meta\b)/, 'the body: ')
    .replace(/"meta" of \w+ may have .*/s, 'see /openapi.json')
    .replace(/\bmeta\.(\w+(?:\.\w+)*)/g, (_, path: string) => memberAt(path))
    .replace('with the action "kill"', 'by POST to /kill below it');
}

/** The longest beginning of a path that has another name is told by that one. */
function memberAt(path: string): string {
  const names = path.split('.');
  for (let length = names.length; length > 0; length -= 1) {
    const member = MEMBERS.get(names.slice(0, length).join('.'));
    if (member !== undefined) return [member, ...names.slice(length)].join('.');
  }
  return path;
}
