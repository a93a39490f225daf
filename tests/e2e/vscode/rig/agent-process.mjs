// What stands for the coding agent: a process that is not above the editor,
// because Countersign refuses a server that descends from whoever calls the
// hook. It runs the hooks that it is told to, as its own children.

import { spawn } from 'node:child_process';

const running = new Map();

process.on('message', (message) => {
  if (message.kill !== undefined) {
    running.get(message.kill)?.kill('SIGKILL');
    return;
  }
  const { number, program, words, input, cwd } = message;
  const hook = spawn(program, words, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  running.set(number, hook);
  let stdout = '';
  let stderr = '';
  hook.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  hook.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  hook.on('error', (error) => (stderr += String(error)));
  hook.on('close', (code, signal) => {
    running.delete(number);
    process.send({ number, code, signal, stdout, stderr });
  });
  hook.stdin.on('error', () => {});
  hook.stdin.end(input);
});

process.on('disconnect', () => {
  for (const hook of running.values()) {
    hook.kill('SIGKILL');
  }
  process.exit();
});
