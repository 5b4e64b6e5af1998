import { writeFileSync } from 'node:fs';
import process from 'node:process';
import type { Reporter, TestModule } from 'vitest/node';

/** Writes `N passed, N failed, N skipped` to the file that COFFER_TEST_COUNTS names. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') counts.passed++;
        else if (state === 'failed') failedTests++;
        else counts.skipped++;
      }
      // A file that could not be loaded, or whose hooks failed, has failed even if none of its tests has.
      counts.failed += failedTests === 0 && module.state() === 'failed' ? 1 : failedTests;
    }
    const { passed, failed, skipped } = counts;
    const line = `${String(passed)} passed, ${String(failed)} failed, ${String(skipped)} skipped`;
    writeFileSync(process.env['COFFER_TEST_COUNTS'] ?? '/dev/null', `${line}\n`);
  }
}
