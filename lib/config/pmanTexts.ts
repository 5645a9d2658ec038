import { VERSION } from '../version.ts';

/** The head of the long and the short help. */
export function banner(): string {
  return `
  _ __  _ __ ___   __ _ _ __
 | '_ \\| '_ \` _ \\ / _\` | '_ \\
 | |_) | | | | | | (_| | | | |
 | .__/|_| |_| |_|\\__,_|_| |_|   process manager, version ${VERSION}
 |_|

 Security: whoever reaches pman's port runs commands as pman's user. Without tokens it listens on
 this host only. To serve others, start it with --enableTokenAuth and --tokenPath.
`;
}

/** The short help: what it is called and a first use. */
export function synopsis(): string {
  return `NAME

    pman - runs commands that other software asks for over HTTP

SYNOPSIS

    pman [--ip <address>] [--port <number>] [--http] [--listeners <count>]
         [--DBpath <folder>] [--DBsavePeriod <seconds>] [--directiveFile <file>]
         [--container-env <name>] [--enableTokenAuth] [--tokenPath <file>]
         [--configFile <file>] [--verbosity <level>] [--desc] [--synopsis] [--version]
    pman token add|list|revoke [--help]

BRIEF EXAMPLE

    pman --rawmode 1 --http --port 5010 --listeners 12

    curl -d '{"payload": {"action": "run", "meta":
        {"cmd": "uname -a", "auid": "me", "jid": "first", "threaded": true}}}' localhost:5010
    curl -d '{"payload": {"action": "result", "meta": {"key": "jid", "value": "first"}}}' localhost:5010
`;
}

/** The long help, to be followed by the list of flags. */
export function description(): string {
  return `${synopsis()}
DESCRIPTION

    pman is a server: other software asks it, over HTTP, to run commands, and later how they fare.
    It keeps the past and the present of every job in a database of folders and JSON files that
    people can read, and answers: is this job still running, what did it write, end it.

    Each setting below is also an environment variable (--DBpath: PMAN_DBPATH, --container-env:
    PMAN_CONTAINER_ENV) and a key of the file that --configFile names. A flag wins over the
    environment, that over the file.

ARGUMENTS
`;
}
