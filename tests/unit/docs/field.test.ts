import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

/** What docs/field.md has to have a row for. */
const KINDS = [
  'a job opens its streams by name',
  'two streams go to one file',
  'the one who reads the output is killed',
  'a child goes on writing when the job has ended',
  'bytes that are no text',
  'progress bars',
  'one very long line',
  'one very long line, looked at in part',
  'what a program prints is long',
  'a full disk under an output',
  'a command longer than one argument can be',
  'very many commands in one line',
  'an environment that no program can be given',
  'a NUL in a request',
  'text that is no Unicode',
  'half of a character in a name',
  'a request of many megabytes',
  'what never ran',
  'an end that nobody saw',
  'a worker of several is removed',
  'a container is removed while it runs: killed first, gone a moment later',
  'a kubelet is killed while it starts a pod',
  'a request is sent ahead behind one that is refused for its head',
  'a log that cannot be read',
  'a job reads its input',
  'a terminal that nobody asked for',
  'a child leaves the session of its job',
  'a child of a command on another host leaves its session',
  'a job that is ended exits with 0',
  'signals other than TERM',
  'the clock goes back',
  'the clock was ahead for a while',
  'the clock goes back while a job runs',
  'the reader of the log leaves',
  'a full disk under the log',
  'a full disk under the audit log',
  'two servers on one database',
  'few open files, many jobs',
  'the folder of the database is renamed or removed under a running server',
  'started in a folder that is gone',
  'a job starts others without end',
  'what jobs inherit',
  'a start that is refused',
  'an expression that takes for ever, in a log on a page',
  'lines that are selected, and were never loaded',
  'a log that says nothing',
  'health checks and tokens',
  'tests that need a quiet machine or an engine',
  'a job has no name',
  'an answer that says nothing',
  'calls without arguments',
  'settings that are not known',
  'a config file with a list, an object or an unknown section',
  '`cd /x; pwd`',
  'a word too many',
  'words, variables and folders that are not UTF-8',
  'many windows on one server',
  'a server that hangs',
  'a form that is sent twice',
  'a field that is emptied',
  'texts that a line of a form cannot hold',
  'a session that ends while a form is filled',
  'a web page of another origin',
  'a client without a token sends a large body',
  'clients that wait for the end of their jobs',
  'a request that ends the server',
  'records that others can read',
  'a folder that another user made first',
  'links in places that others can write',
  'a redirect to another host',
  'links in an archive without a folder around it',
  'a form that says that its content is a code, or has a part twice',
  'a source that changes while it is read',
  'archives of other programs',
  'times before 1970',
  'sizes that lie',
  'links with `..` inside a tree',
  'a destination that nobody can make',
  'headers and tokens with a line break',
  'two equal transfers, and what earlier ones left',
  'one thing in a tree that cannot be sent',
  'a disk that does not give one file (EIO)',
  'results are fetched while the job still logs',
  'a peer that answers and never brings anything',
  'times after 2262',
  'folders that nobody may write to',
  'links to names that are not UTF-8',
  'redirects to names that are not escaped',
  'names that are too long',
  'a peer that falls silent',
  'heads that are not quite HTTP',
  'an answer that goes on in another protocol (101)',
  'types of a library that need more than the library',
  'half a file after a kill',
  'a pattern for results that fits nothing',
  'a file is edited while a job works on its copy',
  'the answer to a new job is lost',
];

interface Row {
  readonly kind: string;
  readonly cells: readonly string[];
  /** The tests that guard it. */
  readonly guards: ReadonlyArray<{ readonly file: string; readonly title: string }>;
}

/** The rows of the page's tables. */
const rows: readonly Row[] = readFileSync('docs/field.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (kind|---) \|/.test(line))
  .map((line) => {
    const cells = line.slice(2, -2).split(' | ');
    const guards = (cells[3] ?? '').split('<br>').map((guard) => {
      const [, file = '', , title = ''] = /^`([^`]+)` (``?) ?(.+?) ?\2$/.exec(guard) ?? [];
      return { file, title };
    });
    return { kind: cells[0] ?? '', cells, guards };
  });

describe('the page of what happens to people', () => {
  it('has a row for each kind, and says what happened, what happens, and what guards it', () => {
    expect(rows.map(({ kind }) => kind)).toEqual(KINDS);
    for (const { cells } of rows) {
      expect(cells).toHaveLength(4);
      for (const cell of cells) expect(cell.trim()).not.toBe('');
    }
  });

  it('names tests that are there', () => {
    const missing = rows.flatMap(({ kind, guards }) =>
      guards
        .filter(({ file, title }) => {
          if (title === '' || !existsSync(file)) return true;
          return !readFileSync(file, 'utf8').includes(title);
        })
        .map((guard) => ({ kind, ...guard })),
    );
    expect(missing).toEqual([]);
  });
});
