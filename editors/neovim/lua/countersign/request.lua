--- For plugins that are agents, or run one: report a call, and hear whether it may
--- run. Nothing here answers for the person, and no answer is a yes.

local rpc = require('countersign.rpc')

local M = {}

---@class countersign.Answer
---@field decision 'allow'|'block'|'none' Run the tool only if it is `allow`; with `none` the agent's own dialog stands.
---@field reason string
---@field message string What the agent is to be told.

---@type table<string, { client: integer, callback: fun(answer: countersign.Decision|countersign.Answer) }>
local open = {}

local count = 0

local function key(client, session, call)
  return ('%d\0%s\0%s'):format(client, session, call)
end

---@param callback fun(answer: countersign.Answer)
---@param reason string
---@param message string
local function block(callback, reason, message)
  vim.schedule(function()
    callback({ decision = 'block', reason = reason, message = message })
  end)
end

--- The parameters of a call.
---@param call countersign.Call
---@return table
local function params_of(call)
  return {
    agent = call.agent or 'generic',
    session = call.session,
    subagent = call.subagent,
    callId = call.callId,
    cwd = call.cwd or vim.fn.getcwd(),
    tool = call.tool,
    input = call.input,
    planMode = call.planMode,
    timeoutMs = call.timeoutMs,
  }
end

--- Asks whether a call may run. The callback is called once, later.
---@param call countersign.Call The call; it gets its `callId` if it has none.
---@param callback fun(answer: countersign.Decision|countersign.Answer)
---@return fun() cancel Gives the call up: what waits for it is closed, the answer is a block.
function M.request(call, callback)
  vim.validate({
    call = { call, 'table' },
    tool = { call.tool, 'string' },
    session = { call.session, 'string' },
    callback = { callback, 'function' },
  })
  count = count + 1
  call.callId = call.callId or ('neovim-%d-%d'):format(vim.uv.os_getpid(), count)
  local client = rpc.client()
  if not client then
    block(callback, 'no_server', 'Countersign does not run in this editor, so nobody allowed it.')
    return function() end
  end
  local id = key(client.id, call.session, call.callId)
  if open[id] then
    block(callback, 'invalid_call', 'A call of this id is waiting already.')
    return function() end
  end
  open[id] = { client = client.id, callback = callback }
  if not rpc.notify(client.id, 'countersign/toolCall', params_of(call)) then
    open[id] = nil
    block(callback, 'no_server', 'Countersign has ended, so nobody allowed it.')
    return function() end
  end
  return function()
    if open[id] then
      rpc.notify(client.id, 'countersign/cancelToolCall', {
        agent = call.agent or 'generic',
        session = call.session,
        subagent = call.subagent,
        callId = call.callId,
      })
    end
  end
end

--- A tool ran.
---@param call countersign.Call The call that was allowed.
---@param failed? boolean
function M.result(call, failed)
  local client = rpc.client()
  if client then
    local params = vim.tbl_extend('force', params_of(call), { failed = failed or false })
    rpc.notify(client.id, 'countersign/toolResult', params)
  end
end

---@param method string
---@param session { session: string, agent?: string, subagent?: string, cwd?: string }
---@param text? string
local function event(method, session, text)
  local client = rpc.client()
  if client then
    rpc.notify(client.id, method, {
      agent = session.agent or 'generic',
      session = session.session,
      subagent = session.subagent,
      cwd = session.cwd or vim.fn.getcwd(),
      text = text,
    })
  end
end

--- A person's message reached the agent.
---@param session { session: string, agent?: string, subagent?: string, cwd?: string }
---@param text string
function M.message(session, text)
  event('countersign/userMessage', session, text)
end

--- A session began or goes on.
---@param session { session: string, agent?: string, subagent?: string, cwd?: string }
function M.began(session)
  event('countersign/sessionStart', session)
end

--- A session ended.
---@param session { session: string, agent?: string, subagent?: string, cwd?: string }
function M.ended(session)
  event('countersign/sessionEnd', session)
end

--- The server decided.
---@param client integer
---@param decision countersign.Decision
function M.decided(client, decision)
  local id = key(client, decision.session, decision.callId)
  local one = open[id]
  if one then
    open[id] = nil
    one.callback(decision)
  end
end

--- The server is gone: what waits for it is not allowed.
---@param client integer
function M.drop(client)
  for id, one in pairs(open) do
    if one.client == client then
      open[id] = nil
      block(one.callback, 'no_server', 'Countersign has ended, so nobody allowed it.')
    end
  end
end

return M
