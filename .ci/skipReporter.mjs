// The last words of a test run: what was not run, and what has to be done so that it is. tests/helpers/engine.ts writes
// the reason into the title of a suite or a test.
const SKIPPED = /^(.*) \(skipped: (.*)\)$/;

export default class SkipReporter {
  #isSelection;

  constructor({ testNamePattern }) {
    this.#isSelection = Boolean(testNamePattern);
  }

  onRunComplete(_contexts, results) {
    if (this.#isSelection) return;
    /** The suites of each reason: which of them, and how many tests. */
    const reasons = new Map();
    for (const { testResults } of results.testResults) {
      for (const { ancestorTitles, title, status } of testResults) {
        if (status !== 'pending') continue;
        const found = [...ancestorTitles, title].map((one) => SKIPPED.exec(one)).find(Boolean);
        const [, suite, reason] = found ?? ['', ancestorTitles[0] ?? 'a test', 'not on this host'];
        const suites = reasons.get(reason) ?? new Map();
        suites.set(suite, (suites.get(suite) ?? 0) + 1);
        reasons.set(reason, suites);
      }
    }
    const lines = [...reasons].flatMap(([reason, suites]) => [
      `  ${reason}`,
      ...[...suites].map(
        ([suite, tests]) => `    ${suite}: ${tests} ${tests === 1 ? 'test' : 'tests'}`,
      ),
    ]);
    if (lines.length > 0)
      console.error(`\nSkipped, since something is missing:\n${lines.join('\n')}`);
    if (process.env.PMAN_TEST_LEFT_OUT) {
      console.error('\nThe long tests were left out; `npm run test:all` runs them, too.');
    }
  }
}
