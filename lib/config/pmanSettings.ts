import type { PrintFlag, Setting } from './sources.ts';

/** Every setting of pman (protocol f), with its default; those of the original first. */
export const settings = [
  {
    name: 'ip',
    value: 'address',
    help: 'address to listen on (default: 127.0.0.1; with --enableTokenAuth the first that is not loopback)',
    default: '',
  },
  { name: 'port', value: 'number', help: 'port to listen on; 0 takes a free one', default: '5010' },
  { name: 'protocol', value: 'name', help: 'ZeroMQ transport', default: 'tcp' },
  {
    name: 'rawmode',
    value: '0|1',
    help: '1: HTTP; 0: messages of ZeroMQ clients (REQ, DEALER)',
    default: '1',
  },
  {
    name: 'listeners',
    value: 'count',
    help: 'how many requests are worked on at once',
    default: '12',
  },
  { name: 'http', help: 'answer as application/html, with a CORS header', default: false },
  { name: 'debugToFile', help: 'write a debug log to --debugFile', default: false },
  {
    name: 'debugFile',
    value: 'file',
    help: 'the debug log; its folder is made (default: $HOME/tmp/debug-pman.log)',
    default: '',
  },
  {
    name: 'listenerSleep',
    value: 'seconds',
    help: 'accepted for old scripts; nothing sleeps any more',
    default: '0.1',
  },
  {
    name: 'directiveFile',
    value: 'file',
    help: 'a file that brings a command when it appears',
    default: '/tmp/d_msg.json',
  },
  { name: 'DBpath', value: 'folder', help: 'the database of jobs', default: '/tmp/pman' },
  {
    name: 'DBsavePeriod',
    value: 'seconds',
    help: 'how often the database is saved, besides soon after each change',
    default: '60',
  },
  {
    name: 'container-env',
    value: 'name',
    help: 'where jobs with a container go: swarm, docker (an engine without swarm), openshift; anything else is this host',
    default: 'swarm',
  },
  {
    name: 'manager',
    value: 'auto|builtin',
    help: 'auto: services are made by the manager image that a request names; builtin: by pman itself',
    default: 'auto',
  },
  {
    name: 'dockerSocket',
    value: 'file',
    help: "the engine's socket on its own host: what a manager container gets",
    default: '/var/run/docker.sock',
  },
  {
    name: 'verbosity',
    short: 'v',
    value: 'level',
    help: '0: silent; 1: what an operator needs; 2: debug',
    default: '1',
  },
  { name: 'enableTokenAuth', help: 'want a token with every request', default: false },
  {
    name: 'tokenPath',
    value: 'file',
    help: 'the tokens: .cfg or .ini with a section [AUTH TOKENS], or one token a line',
    default: '',
  },
  {
    name: 'configFile',
    value: 'file',
    help: 'settings as ini or .json; keys are these flags',
    default: '',
  },
  { name: 'maxJobs', value: 'count', help: 'how many jobs run at once', default: '256' },
  {
    name: 'maxBodySize',
    value: 'MiB',
    help: 'the largest request body',
    default: '64',
  },
  {
    name: 'killGrace',
    value: 'seconds',
    help: 'how long a killed job has before SIGKILL',
    default: '10',
  },
  {
    name: 'keepDays',
    value: 'days',
    help: 'remove jobs that were accepted longer ago and have ended (default: never)',
    default: '',
  },
  {
    name: 'keepJobs',
    value: 'count',
    help: 'of more jobs that have ended remove the oldest (default: keep all)',
    default: '',
  },
  {
    name: 'keepSize',
    value: 'MiB',
    help: 'while records and outputs take more remove the oldest (default: keep all)',
    default: '',
  },
  {
    name: 'jobsAtExit',
    value: 'leave|end',
    help: 'what becomes of running jobs when pman ends',
    default: 'leave',
  },
  {
    name: 'exportPath',
    value: 'folder',
    help: 'where requests may save and load copies of the database (default: the folder that holds DBpath)',
    default: '',
  },
  {
    name: 'fileioStore',
    value: 'folder',
    help: 'the folder that the file servers of fileiosetup keep to (default: <DBpath>.spool/fileio)',
    default: '',
  },
  {
    name: 'sshHosts',
    value: 'list',
    help: 'hosts to which a run may send its job by ssh (meta.ssh), with commas between: host, host:port, user@host, user@host:port (default: none)',
    default: '',
  },
  {
    name: 'sshIdentity',
    value: 'file',
    help: "the private key for those hosts (default: as ssh's configuration says)",
    default: '',
  },
  {
    name: 'sshKnownHosts',
    value: 'file',
    help: "the keys of those hosts (default: as ssh's configuration says)",
    default: '',
  },
  {
    name: 'fsync',
    help: 'have the disk confirm what is acknowledged: it then survives a power failure too',
    default: false,
  },
] as const satisfies readonly Setting[];

export const printFlags = [
  { name: 'desc', short: 'x', help: 'print a description and end' },
  { name: 'synopsis', short: 'y', help: 'print a synopsis and end' },
  { name: 'version', help: 'print the version and end' },
] as const satisfies readonly PrintFlag[];
