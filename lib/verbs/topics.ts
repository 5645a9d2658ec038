/** What `pman help TOPIC` prints. */
export const TOPICS: ReadonlyMap<string, string> = new Map([
  [
    'exit-codes',
    `run -f, wait and logs -f -e end with the exit code of the job; of several, with that of the first one that failed:
  0      it ended well
  1-123  its own exit code
  124    it took longer than --timeout allowed
  125    of run, logs and wait: pman itself: no server, no such job, refused
  128+n  signal n has ended it
  130    Ctrl-C: the job still runs
Other commands end with 0, with 1 when something failed, with 2 when the command line is wrong.
`,
  ],
  [
    'json',
    `--json prints one document; with -f or -w an object a line. The names are those of the API (/api/v2). Names are added,
never changed or removed. Times are RFC 3339 in UTC, lengths seconds, sizes bytes. run -f prints what logs -f does, and
then the job. Nothing else is on stdout; errors are an object on stderr. --format '{id} {state}' prints members of each
job; a member of a member is {usage.wallSeconds}.
`,
  ],
  [
    'selectors',
    `JOB is one of
  (nothing)       your newest job; not for kill and rm
  @2              the second newest
  7f3a            the beginning of an id, 4 characters at least
  nightly         a name
  'train-*'       all names that fit
  failed          all in a state: running, waiting, failed, killed, lost, ok, ended, active
Several can be given.
`,
  ],
  [
    'server',
    `The server is that of --server URL, of PMAN_URL, of the context that --context or PMAN_CONTEXT names, or that is current
in ~/.config/pman/contexts.json; else http://localhost:5010. The file is like
  {"current": "lab", "contexts": {"lab": {"url": "https://pman.lab:5010", "tokenFile": "/home/ana/.pman-token"}}}
The token is that of --token, PMAN_TOKEN, --token-file, PMAN_TOKEN_FILE, or of the context.
`,
  ],
]);
