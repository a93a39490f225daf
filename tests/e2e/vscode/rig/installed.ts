// What the tests are run with, as `cargo xtask test vscode` says it.

function told(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: run \`cargo xtask test vscode\``);
  }
  return value;
}

export const installed = {
  /** The folder of VS Code. */
  vscode: told('COUNTERSIGN_TEST_VSCODE'),
  /** The Node.js that it runs on. */
  node: told('COUNTERSIGN_TEST_NODE'),
  /** The extension as it is shipped, a .vsix. */
  package: told('COUNTERSIGN_TEST_PACKAGE'),
  /** The program that agents call. */
  countersign: told('COUNTERSIGN_TEST_BINARY'),
  /** A folder for all that the tests write. The person's home is the folder `ada` in it. */
  folder: told('COUNTERSIGN_TEST_FOLDER'),
  /** Where screenshots go. */
  shots: told('COUNTERSIGN_TEST_SHOTS'),
};
