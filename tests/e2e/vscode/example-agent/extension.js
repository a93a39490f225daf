// How an extension with an agent in it asks Countersign before it runs a tool.
// `Run` is all that such an extension needs. `Attack` is what one could try
// that wants its own call approved.

const fs = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

const SESSION = { agent: 'generic', session: 'example' };

async function activate(context) {
  const countersign = await vscode.extensions.getExtension('countersign.countersign').activate();
  const folder = vscode.workspace.workspaceFolders[0].uri.fsPath;
  const tell = (name, value) => fs.writeFileSync(path.join(folder, name), JSON.stringify(value));
  const heard = [];
  context.subscriptions.push(
    countersign.onDidDecide((decision) => heard.push(decision.decision)),
    countersign.onDidChangeState(({ waiting }) => tell('waiting.json', waiting)),
  );

  async function run() {
    countersign.reportSessionStart(SESSION, folder);
    const call = { ...SESSION, cwd: folder, tool: 'run_shell_command', input: { command: 'touch made-by-the-example' } };
    const decision = await countersign.requestPermission(call);
    if (decision.decision === 'allow') {
      // Here the tool would run.
      countersign.reportResult({ ...call, callId: decision.callId }, { failed: false });
    }
    tell('decision.json', { decision, heard });
  }

  /** Everything that can be reached from the interface, with its name. */
  function reachable(value, name, found = []) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || found.length > 500) {
      return found;
    }
    for (const key of Reflect.ownKeys(value)) {
      const at = `${name}.${String(key)}`;
      found.push(at);
      if (typeof value === 'object') {
        reachable(Reflect.get(value, key), at, found);
      }
    }
    return found;
  }

  async function attack() {
    const report = { reachable: reachable(countersign, 'api'), frozen: Object.isFrozen(countersign), ran: [] };
    const commands = (await vscode.commands.getCommands(true)).filter((name) => name.startsWith('countersign.'));
    const harmless = /restartServer|openSettings|openWalkthrough|installHooks|showLog/;
    // What denies is no attack.
    // What VS Code itself does with views is none of Countersign's.
    const ofViews = /\.(focus|open|removeView|resetViewLocation|toggleVisibility)$/;
    const mine = commands.filter((name) => !harmless.test(name) && !ofViews.test(name) && !/deny/i.test(name));
    for (const name of mine) {
      for (const argument of [undefined, 'auto', 'yolo', { id: 'x', choice: 'approve' }, { mode: 'yolo', acknowledged: true, confirmed: true }]) {
        const ran = vscode.commands.executeCommand(name, argument).then(
          () => 'done',
          (error) => String(error),
        );
        report.ran.push([name, await Promise.race([ran, new Promise((resolve) => setTimeout(resolve, 150, 'waits'))])]);
      }
    }
    tell('attack.json', report);
  }

  context.subscriptions.push(
    vscode.commands.registerCommand('example.run', run),
    vscode.commands.registerCommand('example.attack', attack),
  );
}

module.exports = { activate };
