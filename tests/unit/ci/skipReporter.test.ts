import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

/** What the reporter says of a run, as jest calls it. */
function saidOf(tests: readonly object[]): string {
  const script = `
    const { default: SkipReporter } = await import('./.ci/skipReporter.mjs');
    const testResults = JSON.parse(process.argv[1]);
    new SkipReporter({}).onRunComplete([], { testResults: [{ testResults }] });`;
  const args = ['--input-type=module', '-e', script, JSON.stringify(tests)];
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stderr;
}

describe('the last words of a test run', () => {
  it('name each suite that was skipped, with its reason', () => {
    const skipped = {
      ancestorTitles: ['jobs over ssh (skipped: no sshd: install the openssh-server package)'],
      status: 'pending',
    };
    const said = saidOf([skipped, skipped, { ancestorTitles: ['others'], status: 'passed' }]);
    expect(said).toContain(
      'no sshd: install the openssh-server package\n    jobs over ssh: 2 tests',
    );
    expect(said).not.toContain('others');
  });

  it('are none when nothing was', () => {
    expect(saidOf([{ ancestorTitles: ['others'], status: 'passed' }])).not.toContain('Skipped');
  });
});
