// Countersign's plugin for opencode: has every tool call decided by
// `countersign hook opencode` before it runs, and tells it what came of it.
// Written by `countersign install opencode`; changes are lost at the next one.
//
// Every failure blocks: a call runs only after the hook said so in as many
// words and ended with status 0.

import { spawn } from "node:child_process"

// These three lines are filled in by the installer.
const PROGRAM = "countersign"
const OPTIONS = []
const TIMEOUT_SECONDS = 600

// The form of the payload; the hook refuses any other.
const FORM = 1
// How much longer than its own deadline the hook may live.
const MARGIN_MILLIS = 2_000
// How long an event that decides nothing may take.
const NOTE_SECONDS = 30
// How long opencode is given to say something about a session or its servers.
const LOOKUP_MILLIS = 2_000
// How long the output of a hook that ended may stay open.
const DRAIN_MILLIS = 1_000
const MAX_OUTPUT_BYTES = 256 * 1024
const MAX_KEPT = 1_024

const REMEDY = "Nothing ran. The user can find the cause with `countersign doctor` and `countersign log`."

// Why a call must not run, in words for the model.
class Objection extends Error {}

// The events that were judged in this process, by whichever copy of the plugin
// came first: a user's and a project's would otherwise both ask.
const JUDGED = Symbol.for("countersign.opencode.judged")
globalThis[JUDGED] ??= new WeakSet()

// What became of one run of the hook.
const run = (event, payload, seconds) =>
  new Promise((resolve) => {
    let child
    let overdue
    let drain
    let settled = false
    let ended
    let size = 0
    const output = { stdout: [], stderr: [] }
    const settle = (result) => {
      if (settled) return
      settled = true
      clearTimeout(overdue)
      clearTimeout(drain)
      try {
        child?.kill("SIGKILL")
        child?.stdout?.destroy()
        child?.stderr?.destroy()
      } catch {
        // It is gone already.
      }
      resolve(result)
    }
    const fail = (problem) => settle({ problem })
    const finish = () => {
      const text = (chunks) => Buffer.concat(chunks).toString("utf8").trim()
      settle({ code: ended.code, signal: ended.signal, stdout: text(output.stdout), stderr: text(output.stderr) })
    }
    const collect = (stream, chunks) => {
      stream.on("error", () => {})
      stream.on("data", (chunk) => {
        size += chunk.length
        if (size > MAX_OUTPUT_BYTES) return fail("the hook printed too much")
        chunks.push(chunk)
      })
    }
    try {
      const text = JSON.stringify(payload)
      const options = ["hook", "opencode", "--event", event, "--timeout", String(seconds), ...OPTIONS]
      child = spawn(PROGRAM, options, { stdio: ["pipe", "pipe", "pipe"], windowsHide: true })
      overdue = setTimeout(() => fail(`the hook took longer than ${seconds} s`), seconds * 1_000 + MARGIN_MILLIS)
      child.once("error", (error) => fail(`the hook cannot be run: ${error.message}`))
      child.once("exit", (code, signal) => {
        ended = { code, signal }
        drain = setTimeout(finish, DRAIN_MILLIS)
      })
      child.once("close", (code, signal) => {
        ended ??= { code, signal }
        finish()
      })
      collect(child.stdout, output.stdout)
      collect(child.stderr, output.stderr)
      // A hook that ends early says so by its status.
      child.stdin.on("error", () => {})
      child.stdin.end(text)
    } catch (error) {
      fail(`the hook cannot be run: ${error?.message ?? error}`)
    }
  })

// Why a call must not run; nothing if it may.
const objection = (result) => {
  if (result.problem) return `Countersign: ${result.problem}. ${REMEDY}`
  if (result.code === 2) return result.stderr || `Countersign blocked this call and gave no reason. ${REMEDY}`
  if (result.signal) return `Countersign: the hook was ended by ${result.signal}. ${REMEDY}`
  if (result.code !== 0) return `Countersign: the hook ended with status ${result.code}. ${REMEDY}`
  let answer
  try {
    answer = JSON.parse(result.stdout)
  } catch {
    return `Countersign: the hook's answer cannot be read. ${REMEDY}`
  }
  if (answer?.decision === "allow" || answer?.decision === "none") return undefined
  return `Countersign: the hook did not allow this call. ${REMEDY}`
}

// Keeps other plugins from changing what was judged.
const seal = (value, seen = new Set()) => {
  if (value === null || typeof value !== "object" || seen.has(value)) return
  seen.add(value)
  Object.freeze(value)
  for (const key of Object.keys(value)) seal(value[key], seen)
}

// What a promise comes to, unless it fails or takes too long.
const soon = async (promise) => {
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(undefined), LOOKUP_MILLIS)
  })
  try {
    return await Promise.race([promise, late])
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

// A map that forgets its oldest entry when it is full.
const keep = (map, key, value) => {
  map.delete(key)
  map.set(key, value)
  if (map.size > MAX_KEPT) map.delete(map.keys().next().value)
}

export const Countersign = async ({ client, directory }) => {
  // The session above each one; null for a root.
  const parents = new Map()
  // The agent (build, plan …) that each session last worked as.
  const roles = new Map()
  // What a person typed instead of the text of a command's file.
  const commands = new Map()
  // What each call was judged by, and the calls that opencode asks about.
  const calls = new Map()
  const asked = new Map()
  // The last note of each session: notes go out in order.
  const notes = new Map()

  // The parent of a session; undefined where opencode does not say.
  const parent = async (session) => {
    if (parents.has(session)) return parents.get(session)
    const answer = await soon(client?.session?.get?.({ path: { id: session } }))
    if (answer?.data?.id !== session) return undefined
    keep(parents, session, answer.data.parentID ?? null)
    return parents.get(session)
  }

  // The root of a session, and whether that is certain.
  const root = async (session) => {
    let current = session
    for (let depth = 0; depth < 32; depth += 1) {
      const above = await parent(current)
      if (above === undefined) return { session: current, certain: false }
      if (above === null) return { session: current, certain: true }
      current = above
    }
    return { session: current, certain: false }
  }

  const frame = async (session, event) => {
    const top = await root(session)
    const plans = roles.get(session) === "plan" || roles.get(top.session) === "plan"
    return {
      countersign_plugin: FORM,
      hook_event_name: event,
      session_id: top.session,
      ...(top.session === session ? {} : { agent_id: session }),
      cwd: directory,
      permission_mode: plans ? "plan" : (roles.get(session) ?? "build"),
    }
  }

  // The MCP server that a tool's name begins with: the one with the longest
  // name, as opencode itself takes it.
  const mcp = async (tool) => {
    if (!tool.includes("_")) return {}
    const answer = await soon(client?.mcp?.status?.())
    const servers = Object.keys(answer?.data ?? {})
      .map((name) => name.replace(/[^a-zA-Z0-9_-]/g, "_"))
      .filter((name) => tool.startsWith(`${name}_`))
      .sort((one, other) => other.length - one.length)
    if (servers.length === 0) return {}
    return { mcp_context: { server_name: servers[0], tool_name: tool.slice(servers[0].length + 1) } }
  }

  const note = (session, event, payload) => {
    const before = notes.get(session) ?? Promise.resolve()
    const after = before
      .then(async () => run(event, { ...(await frame(session, event)), ...(await payload) }, NOTE_SECONDS))
      .then(
        () => undefined,
        () => undefined,
      )
    keep(notes, session, after)
    return after
  }

  const judge = async (input, output) => {
    if (globalThis[JUDGED].has(output)) return
    const event = "tool.execute.before"
    // What is judged, and sealed so that it is also what runs.
    const judged = JSON.stringify(output.args ?? null)
    seal(output)
    const described = {
      tool_name: input.tool,
      tool_input: JSON.parse(judged),
      tool_use_id: input.callID,
      ...(await mcp(input.tool)),
    }
    const payload = { ...(await frame(input.sessionID, event)), ...described }
    const problem = objection(await run(event, payload, TIMEOUT_SECONDS))
    if (problem) throw new Objection(problem)
    if (JSON.stringify(output.args ?? null) !== judged) {
      throw new Objection(`Countersign: the input of this call changed while it was judged. ${REMEDY}`)
    }
    keep(calls, input.callID, described)
    globalThis[JUDGED].add(output)
  }

  return {
    "tool.execute.before": async (input, output) => {
      try {
        await judge(input, output)
      } catch (error) {
        if (error instanceof Objection) throw error
        throw new Objection(`Countersign: ${error?.message ?? error}. ${REMEDY}`)
      }
    },

    "tool.execute.after": async (input, output) => {
      const described = calls.get(input.callID) ?? {
        tool_name: input.tool,
        tool_input: input.args ?? null,
        tool_use_id: input.callID,
      }
      calls.delete(input.callID)
      await note(input.sessionID, "tool.execute.after", {
        ...described,
        tool_response: { exit: output?.metadata?.exit ?? null },
      })
    },

    "command.execute.before": async (input) => {
      keep(commands, input.sessionID, `/${input.command} ${input.arguments ?? ""}`.trim())
    },

    "chat.message": async (input, output) => {
      const session = input.sessionID
      const role = input.agent ?? output?.message?.agent
      if (role) keep(roles, session, role)
      const command = commands.get(session)
      commands.delete(session)
      // What one agent tells another is no person's word.
      const top = await root(session)
      if (!top.certain || top.session !== session) return
      const sent = (output?.parts ?? []).filter((part) => part && !part.synthetic && !part.ignored)
      if (sent.length === 0 && command === undefined) return
      const texts = sent.filter((part) => part.type === "text").map((part) => part.text)
      await note(session, "chat.message", { prompt: command ?? texts.join("\n") })
    },

    event: async ({ event }) => {
      const about = event?.properties ?? {}
      switch (event?.type) {
        case "session.created":
        case "session.updated": {
          const { id, parentID } = about.info ?? {}
          if (!id) return
          keep(parents, id, parentID ?? null)
          if (event.type === "session.created" && !parentID) void note(id, event.type, { source: "created" })
          return
        }
        case "session.idle":
          if (about.sessionID) void note(about.sessionID, event.type, {})
          return
        case "session.deleted": {
          const id = about.info?.id ?? about.sessionID
          if (!id) return
          await note(id, event.type, { reason: "deleted" })
          for (const map of [parents, roles, commands, notes]) map.delete(id)
          return
        }
        case "permission.asked":
          if (about.id && about.tool?.callID) keep(asked, about.id, about.tool.callID)
          return
        case "permission.replied": {
          const call = asked.get(about.requestID)
          const described = calls.get(call)
          asked.delete(about.requestID)
          if (about.reply !== "reject" || !described) return
          calls.delete(call)
          void note(about.sessionID, event.type, { ...described, reason: "rejected in opencode's own prompt" })
          return
        }
        default:
      }
    },
  }
}
