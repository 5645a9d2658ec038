/** What somebody is asked before something is done that cannot be taken back. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** What it is about; the first of them are shown. */
  readonly names: readonly string[];
  readonly verb: string;
  readonly act: () => void;
}
