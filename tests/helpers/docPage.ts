import { readFileSync } from 'node:fs';
import { type Block, blocksOf } from './guide.ts';

/** A document whose examples tests run. */
export class DocPage {
  readonly text: string;
  /** `sh` is run by tests, `text` is only to be read. */
  readonly blocks: readonly Block[];

  constructor(file: string) {
    this.text = readFileSync(file, 'utf8');
    this.blocks = blocksOf(file);
  }

  /** The blocks of one language. */
  of(language: string): readonly string[] {
    return this.blocks.filter((block) => block.language === language).map(({ text }) => text);
  }

  /** All blocks of one language as one program. */
  program(language: string): string {
    return this.of(language).join('\n');
  }
}

/** What goes in front of commands of a page: curl says when the server refuses, and a stream without an end is cut. */
export const DOC_SHELL = `set -eu
curl() {
  case " $* " in
    *' -sN '*) command curl --fail-with-body --max-time 2 "$@" || [ $? = 28 ] ;;
    *) command curl --fail-with-body -S "$@"; echo ;;
  esac
}
`;
