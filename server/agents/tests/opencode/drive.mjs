// Runs the plugin as opencode would, with the stand-in for the hook, and prints
// what came of each case as JSON.

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"

const [pluginFile, hastyFile, missingFile, folder] = process.argv.slice(2)
const { Countersign } = await import(pluginFile)
const { Countersign: Hasty } = await import(hastyFile)
const { Countersign: Missing } = await import(missingFile)

const sessions = { child: { id: "child", parentID: "root" }, root: { id: "root" } }
const client = {
  session: { get: async ({ path }) => ({ data: sessions[path.id] }) },
  mcp: { status: async () => ({ data: { weather: {}, "weather.more": {} } }) },
}
const hooks = await Countersign({ client, directory: "/work" })
const outcome = {}
let ids = 0

const before = async (name, args, { during, as = hooks, tool = "bash", session = "root" } = {}) => {
  ids += 1
  const input = { tool, sessionID: session, callID: `call${ids}` }
  const output = { args }
  try {
    const judged = as["tool.execute.before"](input, output)
    await during?.(output)
    await judged
    outcome[name] = "runs"
  } catch (error) {
    outcome[name] = error.message
  }
  return { input, output }
}

// opencode goes on meanwhile: this hook waits for what only happens then.
setTimeout(() => writeFileSync(`${folder}/meanwhile`, ""), 10)
const circular = { command: "does-allow" }
circular.itself = circular
const allowed = { command: "does-allow", nested: { list: [1] } }
const [first] = await Promise.all([
  before("allow", allowed),
  before("no opinion", { command: "does-no-opinion" }),
  before("answered meanwhile", { command: "does-wait" }),
  before("deny", { command: "does-deny" }),
  before("wordless deny", { command: "does-wordless-deny" }),
  before("silence", { command: "does-silence" }),
  before("garbage", { command: "does-garbage" }),
  before("unknown answer", { command: "does-unknown-answer" }),
  before("failure", { command: "does-fail" }),
  before("killed", { command: "does-get-killed" }),
  before("hang", { command: "does-hang" }, { as: await Hasty({ client, directory: "/work" }) }),
  before("too much output", { command: "does-talk" }),
  before("closed input", { command: "does-not-listen", padding: "x".repeat(500_000) }),
  before("missing program", { command: "does-allow" }, { as: await Missing({ client, directory: "/work" }) }),
  before("unreadable input", circular),
  before("no arguments", undefined),
  before("in a sub-agent", { command: "does-allow", marker: "sub-agent" }, { session: "child" }),
  before("of a server", { city: "does-allow", marker: "server" }, { tool: "weather_more_get_it" }),
])

// What was judged cannot be changed any more.
for (const [name, change] of Object.entries({
  argument: () => (allowed.command = "other"),
  nested: () => allowed.nested.list.push(2),
  whole: () => (first.output.args = { command: "other" }),
})) {
  try {
    change()
    outcome[`changing the ${name}`] = "possible"
  } catch (error) {
    outcome[`changing the ${name}`] = error.constructor.name
  }
}

// Two copies of the plugin judge an event once.
const again = await Countersign({ client, directory: "/work" })
await again["tool.execute.before"](first.input, first.output)

// An input that is not what it seems is noticed even where it cannot be sealed.
let reads = 0
await before("shifting input", {
  get command() {
    reads += 1
    return reads < 2 ? "does-allow" : "other"
  },
})

await hooks["tool.execute.after"]({ ...first.input, args: allowed }, { metadata: { exit: 0 } })
const typed = (text) => ({ message: {}, parts: [{ type: "text", text }, { type: "text", text: "not typed", synthetic: true }] })
await hooks["chat.message"]({ sessionID: "root", agent: "plan" }, typed("typed by a person"))
await hooks["chat.message"]({ sessionID: "child", agent: "explore" }, typed("told by an agent"))
await hooks["chat.message"]({ sessionID: "unknown" }, typed("told by nobody known"))
await hooks["command.execute.before"]({ command: "jam", sessionID: "root", arguments: "plum" }, { parts: [] })
await hooks["chat.message"]({ sessionID: "root", agent: "plan" }, typed("the text of a file"))
await before("in plan mode", { command: "does-allow", marker: "planning" }, { session: "child" })
const rejected = await before("rejected later", { command: "does-allow", marker: "rejected" })
await hooks.event({
  event: { type: "permission.asked", properties: { id: "per1", sessionID: "root", tool: { callID: rejected.input.callID } } },
})
await hooks.event({ event: { type: "permission.replied", properties: { requestID: "per1", sessionID: "root", reply: "reject" } } })
await hooks.event({ event: { type: "session.idle", properties: { sessionID: "root" } } })
await hooks.event({ event: { type: "session.deleted", properties: { info: { id: "root" } } } })
await hooks.event({ event: { type: "message.part.updated", properties: {} } })

const written = (name) => statSync(`${folder}/${name}`).mtimeMs
const notes = readdirSync(folder)
  .filter((name) => name.endsWith(".log"))
  .sort((one, other) => written(one) - written(other))
  .map((name) => readFileSync(`${folder}/${name}`, "utf8"))
  .filter((line) => line.length < 2_000)
  .map((line) => {
    const at = line.indexOf("{")
    return { line: line.slice(0, at).trim(), payload: JSON.parse(line.slice(at)) }
  })
console.log(JSON.stringify({ outcome, notes }))
