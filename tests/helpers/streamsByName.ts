/** Commands that write first, second, third to one stream, with the second by the stream's name. */
export const BY_NAME: ReadonlyArray<readonly ['stdout' | 'stderr', string]> = [
  ['stderr', 'echo first >&2 && echo second > /dev/stderr && echo third >&2'],
  ['stderr', 'echo first >&2 && echo second | tee /dev/stderr >/dev/null && echo third >&2'],
  ['stderr', `echo first >&2 && awk 'BEGIN { print "second" > "/dev/stderr" }' && echo third >&2`],
  ['stderr', 'echo first >&2 && sh -c "echo second >/proc/$$/fd/2" && echo third >&2'],
  ['stdout', 'echo first && echo second > /dev/stdout && echo third'],
  ['stdout', 'echo first && echo second > /proc/self/fd/1 && echo third'],
  ['stdout', 'echo first && echo second > /dev/fd/1 && echo third'],
  ['stdout', 'echo first && echo second >> /dev/stdout && echo third'],
  ['stdout', 'echo first && echo second | dd of=/dev/stdout 2>/dev/null && echo third'],
  ['stdout', 'echo first && echo second | cp /dev/stdin /dev/stdout && echo third'],
];
