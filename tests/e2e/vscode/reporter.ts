// Prints what the other parts of `cargo xtask test` print: a line for each
// test and a closing line that counts them.

import type { FullConfig, FullResult, Reporter, Suite, TestCase, TestError, TestResult } from '@playwright/test/reporter';

const ANSI = /\u001b\[[0-9;]*m/g;

export default class Lines implements Reporter {
  private passed = 0;
  private failed = 0;

  onBegin(_config: FullConfig, _suite: Suite): void {}

  onTestEnd(test: TestCase, result: TestResult): void {
    const ok = result.status === test.expectedStatus && result.status === 'passed';
    const again = !ok && result.retry < test.retries;
    if (ok) {
      this.passed += 1;
    } else if (!again) {
      this.failed += 1;
    }
    const said = ok ? 'ok' : again ? 'once more:' : 'FAILED';
    console.log(`${said} ${test.title} (${(result.duration / 1000).toFixed(1)} s)`);
    if (!ok) {
      for (const error of result.errors) {
        this.onError(error);
      }
      for (const output of [...result.stdout, ...result.stderr]) {
        console.log(indented(output.toString()));
      }
    }
  }

  onError(error: TestError): void {
    console.log(indented(error.stack ?? error.message ?? error.value ?? 'an error without a word'));
    if (error.snippet) {
      console.log(indented(error.snippet));
    }
  }

  onEnd(_result: FullResult): void {
    console.log(`${this.passed} passed, ${this.failed} failed`);
  }

  printsToStdio(): boolean {
    return true;
  }
}

/** For the screen: what a program prints may be a bundle in one line. */
function indented(text: string): string {
  const lines = text.replace(ANSI, '').trimEnd().split('\n').slice(0, 200);
  return lines.map((line) => `  ${line.slice(0, 300)}`).join('\n');
}
