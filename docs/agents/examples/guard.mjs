// Asks Countersign before an agent of your own runs a tool.
//
// `permit` comes to nothing if the call may run, and otherwise to why it must
// not. Everything but an explicit allow is a reason not to run it.
//
//     node guard.mjs countersign run_shell_command '{"command": "ls"}'

import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { realpathSync } from "node:fs"
import { fileURLToPath } from "node:url"

const TIMEOUT_SECONDS = 600
// How much longer than its own deadline the hook may live.
const MARGIN_MILLIS = 2_000
// One for each conversation: counters and approvals belong to it.
const SESSION = randomUUID()

export const permit = (tool, input, call, program = "countersign", seconds = TIMEOUT_SECONDS) =>
  new Promise((resolve) => {
    let overdue
    const settle = (reason) => {
      clearTimeout(overdue)
      resolve(reason)
    }
    const failed = (error) => settle(`the guard failed: ${error?.message ?? error}`)
    try {
      const payload = JSON.stringify({
        version: 1,
        event: "before_tool",
        session: SESSION,
        cwd: process.cwd(),
        tool,
        input,
        call,
      })
      const child = spawn(program, ["hook", "generic", "--event", "before_tool", "--timeout", String(seconds)])
      const late = () => {
        child.kill("SIGKILL")
        failed("it is late")
      }
      overdue = setTimeout(late, seconds * 1_000 + MARGIN_MILLIS)
      const output = { stdout: "", stderr: "" }
      for (const name of ["stdout", "stderr"]) {
        child[name].setEncoding("utf8").on("data", (text) => (output[name] += text))
      }
      child.on("error", failed)
      // A hook that ends early says so by its status.
      child.stdin.on("error", () => {})
      child.stdin.end(payload)
      child.on("close", (status, signal) => {
        if (status === 2) return settle(output.stderr.trim() || "blocked without a reason")
        if (status !== 0) return settle(`the guard ended with ${signal ?? `status ${status}`}`)
        try {
          const answer = JSON.parse(output.stdout)
          // `none`: the guard has no opinion, because the agent's own dialog asks.
          const may = answer.version === 1 && ["allow", "none"].includes(answer.decision)
          settle(may ? undefined : "the guard did not allow it")
        } catch (error) {
          failed(error)
        }
      })
    } catch (error) {
      failed(error)
    }
  })

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [program, tool, input] = process.argv.slice(2)
  // What is judged is what runs: read once, and not changed in between.
  const reason = await permit(tool, JSON.parse(input), randomUUID(), program)
  if (reason !== undefined) {
    console.error(`not run: ${reason}`)
    process.exitCode = 1
  } else {
    console.log("may run")
  }
}
