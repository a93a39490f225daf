// The extension in a real VS Code. `cargo xtask test vscode` installs what is
// needed and calls this; to run some of the tests again, use the command line
// that it prints, with `-g PART OF A NAME`.

import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'specs',
  outputDir: `${process.env['COUNTERSIGN_TEST_FOLDER'] ?? '/tmp'}/results`,
  // Two cores: one VS Code, one browser, one server and its agents.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  // VS Code draws lists anew under the pointer and swallows a click on a busy
  // machine: what fails twice fails, what fails once is told.
  retries: 1,
  // Bounds for a machine that does much else; nothing waits for them to pass.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: './reporter.ts',
  use: {
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        // Nothing outside of this machine is asked for anything.
        '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
      ],
    },
  },
});
