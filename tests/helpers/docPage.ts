import { readFileSync } from 'node:fs';

/** A piece of a page between two lines of three backticks. */
export interface DocBlock {
  /** What stands behind the first of these lines: `sh` is run by tests, `text` is only to be read. */
  readonly language: string;
  readonly text: string;
}

/** A document whose examples tests run. */
export class DocPage {
  readonly text: string;
  readonly blocks: readonly DocBlock[];

  constructor(file: string) {
    this.text = readFileSync(file, 'utf8');
    this.blocks = [...this.text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
      ([, language = '', text = '']) => ({ language, text }),
    );
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
