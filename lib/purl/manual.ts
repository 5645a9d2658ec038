const COMMANDS = `purl: messages

  purl --http HOST:PORT/api/v1/cmd --msg '{"action": "hello", "meta": {"askAbout": "timestamp"}}' --jsonwrapper payload

--msg is a JSON object with "action" and "meta". @file reads it from a file, - from standard input.
An action whose name contains "path" (pushPath, pullPath) moves files to or from a pfioh; every
other message is sent to the server as it is: with --verb GET as a query, else as the body.
Without --msg purl is a plain HTTP client that writes the answer to standard output.

Pages: --man commands, --man pushPath, --man pullPath.
`;

const TRANSPORT = `transport.mechanism "compress": over the network.
  compress.archive   "zip": as an archive (folders always are); "none": a file as it is
  compress.encoding  "base64" or "none"
  compress.unpack    true: unpacked on arrival
  compress.cleanup   true: no archive is left behind
transport.mechanism "copy": client and server share a file system; the server copies.
  copy.symlink       true: a symbolic link is made instead of a copy

The report names the checks of both paths (localCheck, remoteCheck), the transfer (compress or
copyOp), and the outcome (status, msg). With --resume an interrupted transfer can be continued by
the same command.
`;

const PUSH = `purl: pushPath, from here to the server

  purl --http HOST:5055/api/v1/cmd --msg '{"action": "pushPath", "meta": {
    "local":  {"path": "/data/in"},
    "remote": {"path": "/data/store"},
    "transport": {"mechanism": "compress", "compress":
      {"encoding": "none", "archive": "zip", "unpack": true, "cleanup": true}}}}'

The folder /data/in arrives as /data/store/in. {"remote": {"key": "name"}} names a place in the
store of the server; the content of the folder then arrives directly there.

${TRANSPORT}`;

const PULL = `purl: pullPath, from the server to here

  purl --http HOST:5055/api/v1/cmd --msg '{"action": "pullPath", "meta": {
    "local":  {"path": "/data/back", "createDir": true},
    "remote": {"path": "/data/store/out"},
    "transport": {"mechanism": "compress", "compress":
      {"encoding": "none", "archive": "zip", "unpack": true, "cleanup": true}}}}'

The remote folder out arrives as /data/back/out. local.createDir makes the local folder.

${TRANSPORT}`;

/** The pages of `--man`. */
export const MANUAL: ReadonlyMap<string, string> = new Map([
  ['commands', COMMANDS],
  ['pushPath', PUSH],
  ['pullPath', PULL],
]);

/** What `--synopsis` prints. */
export function synopsis(name: string, version: string): string {
  return `${name} ${version}

Speaks to pman and pfioh over HTTP, pushes and pulls files and folders, and is a plain HTTP client.

  ${name} --http HOST:PORT/PATH [--verb VERB] [--msg JSON | --msg @file | --msg -]
       [--jsonwrapper NAME] [--raw] [--quiet] [--jsonpprintindent N]
       [--auth USER:PASSWORD | --authToken TOKEN] [--man commands|pushPath|pullPath]

${name} --help lists all flags.
`;
}
