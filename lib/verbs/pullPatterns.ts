import { UsageError } from '../errors.ts';
import { fitsPattern } from '../jobs/filePatterns.ts';

/** What `--pull` asks for. */
export interface PullPatterns {
  /** Whether a file or link of the job is asked for. Folders are made as files need them. */
  readonly fits: (name: string, kind: 'file' | 'folder' | 'link') => boolean;
  /** The patterns, as they were written, that nothing has fitted until now. */
  readonly missed: () => readonly string[];
}

interface Reading {
  readonly written: string;
  readonly files: readonly string[];
  /** A folder that is there has nothing in it that could be lost. */
  readonly folders: readonly string[];
}

/**
 * Reads the patterns of `--pull`. One that names a folder takes all that is in it.
 * @throws UsageError for one that can fit nothing: it leads out of the folder of the job
 */
export function pullPatterns(written: readonly string[]): PullPatterns {
  const readings = written.map(readingOf);
  const fitted = new Set<string>(
    readings.filter(({ files }) => files[0] === '**').map((reading) => reading.written),
  );
  return {
    fits(name, kind) {
      const path = name.split('/');
      const found = readings.filter((reading) =>
        (kind === 'folder' ? reading.folders : reading.files).some((pattern) =>
          fitsPattern(path, pattern),
        ),
      );
      for (const reading of found) fitted.add(reading.written);
      return kind !== 'folder' && found.length > 0;
    },
    missed: () => written.filter((pattern) => !fitted.has(pattern)),
  };
}

function readingOf(written: string): Reading {
  const names = written.split('/').filter((name) => name !== '' && name !== '.');
  if (written.startsWith('/') || names.includes('..')) {
    throw new UsageError(
      `--pull ${JSON.stringify(written)}: it names what is in the folder of the job, from there on: 'out/**'`,
    );
  }
  if (names.length === 0) return { written, files: ['**'], folders: [] };
  const pattern = names.join('/');
  const last = names.at(-1) ?? '';
  if (last === '**') {
    return { written, files: [pattern], folders: [pattern, names.slice(0, -1).join('/')] };
  }
  const below = `${pattern}/**`;
  // `out/` is a folder and no file; `*` may mean files alone, where there are large folders.
  if (/(^|\/)\.?$/.test(written)) return { written, files: [below], folders: [pattern] };
  const isName = !/[*?]/.test(last);
  return {
    written,
    files: isName ? [pattern, below] : [pattern],
    folders: isName ? [pattern] : [],
  };
}
