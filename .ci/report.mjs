// What jest's JSON reports say. Usage:
//   node .ci/report.mjs failed REPORT...                   the files with a test that failed, a line each
//   node .ci/report.mjs count REPORT... [--again SECOND]   "passed failed skipped"; what a second run has tried again
//                                                          counts as it ended there
import { existsSync, readFileSync } from 'node:fs';

const [command, ...given] = process.argv.slice(2);
const mark = given.indexOf('--again');
const reports = mark === -1 ? given : given.slice(0, mark);
const second = mark === -1 ? undefined : given[mark + 1];

/** The test files of a report by name: how many tests passed, failed and were skipped, and the names of those that failed. */
function filesOf(path) {
  // Tests that did not get as far as to report have failed, whatever kept them from it.
  if (!existsSync(path))
    return new Map([[path, { passed: 0, failed: ['there is no report'], skipped: 0 }]]);
  const report = JSON.parse(readFileSync(path, 'utf8'));
  return new Map(
    report.testResults.map(({ name, status, assertionResults }) => {
      const of = (...kinds) => assertionResults.filter((test) => kinds.includes(test.status));
      const failed = of('failed').map((test) => test.fullName);
      // A file that cannot be run at all has no tests to count.
      if (status === 'failed' && failed.length === 0) failed.push('cannot be run');
      const skipped = of('pending', 'todo', 'skipped', 'disabled').length;
      return [name, { passed: of('passed').length, failed, skipped }];
    }),
  );
}

const files = new Map(reports.flatMap((report) => [...filesOf(report)]));
if (command === 'failed') {
  const isFile = (name) => !reports.includes(name);
  for (const [name, { failed }] of files) if (failed.length > 0 && isFile(name)) console.log(name);
} else {
  const again = second !== undefined && existsSync(second) ? filesOf(second) : new Map();
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, before] of files) {
    const last = again.get(name) ?? before;
    sum.passed += last.passed;
    sum.failed += last.failed.length;
    sum.skipped += last.skipped;
    for (const test of before.failed) {
      const outcome = last.failed.includes(test) ? 'FAILED' : 'failed once, passed alone';
      console.error(`${outcome}: ${test} (${name})`);
    }
  }
  console.log(sum.passed, sum.failed, sum.skipped);
}
