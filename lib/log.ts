import { createLogger, format, transports } from 'winston';
import { logFile } from './logFile.ts';
import { terminalText } from './terminalText.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What takes a message, which is always the same for the same event, and its fields. */
type LogMethod = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Whatever a program logs with: any object with these methods, such as `console`, or a logger of winston. */
export type LogMethods = Readonly<Record<LogLevel, LogMethod>>;

/** What the parts of a program log with. */
export interface Logger extends LogMethods {
  /** A logger that adds these fields to each line. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

/** A logger that writes by the methods of another object, whose errors it takes; without one it says nothing. */
export function loggerOver(methods: LogMethods | undefined): Logger {
  const over = (own: Readonly<Record<string, unknown>>): Logger => {
    const method =
      (level: LogLevel): LogMethod =>
      (message, fields) => {
        try {
          methods?.[level](message, { ...own, ...fields });
        } catch {
          // Whose logger fails has lost a line, and must not lose the answer that was to be logged.
        }
      };
    return {
      ...{ debug: method('debug'), info: method('info') },
      ...{ warn: method('warn'), error: method('error') },
      child: (fields) => over({ ...own, ...fields }),
    };
  };
  return over({});
}

export interface LogOptions {
  /** The original's scale: 0 or less is silent, 1 shows what an operator needs, 2 and more is debug. */
  readonly verbosity: number;
  /** A file that takes everything down to debug, whatever the verbosity. Its folder must exist. */
  readonly file?: string;
  /** The rights of that file when it is made; the umask takes its part. Default: this user's alone. */
  readonly fileMode?: number;
  /** Colour on the console; default: only when stderr is a terminal. */
  readonly colour?: boolean;
  /** `json`: one object a line, with `timestamp`, `level`, `message` and the fields. Default: for people. */
  readonly format?: LogFormat;
}

export const logFormats = ['text', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/**
 * A logger that writes to stderr (stdout belongs to a program's own output) and, when asked, to a file.
 * Pass it on; parts take `log.child({ component })`.
 */
export function makeLogger({
  verbosity,
  file,
  fileMode = 0o600,
  colour = process.stderr.isTTY,
  format: form = 'text',
}: LogOptions): Logger {
  if (verbosity <= 0 && file === undefined) return silentLogger();
  const json = format.printf(({ timestamp, level, message, ...fields }) =>
    terminalText(JSON.stringify({ timestamp, level, message, ...fields })),
  );
  const text = format.printf(({ timestamp, level, message, ...fields }) => {
    const rest = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
    return `${String(timestamp)} ${level} ${String(message)}${terminalText(rest)}`;
  });
  const line = form === 'json' ? json : text;
  const stamped = format.combine(format.timestamp(), format.errors({ stack: true }));
  const level = verbosity >= 2 ? 'debug' : 'info';
  return createLogger({
    level: 'debug',
    format: stamped,
    transports: [
      new transports.Console({
        silent: verbosity <= 0,
        level,
        stderrLevels: ['error', 'warn', 'info', 'debug'],
        format: colour && form === 'text' ? format.combine(format.colorize(), line) : line,
      }),
      ...(file === undefined
        ? []
        : [new transports.Stream({ stream: logFile(file, fileMode), format: line })]),
    ],
  });
}

/** A logger that says nothing: for tests and for libraries used on their own. */
export function silentLogger(): Logger {
  return loggerOver(undefined);
}
