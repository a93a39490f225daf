--- The last status of every server, for status lines: whole each time, and told
--- again to whoever comes late.

local rpc = require('countersign.rpc')
local text = require('countersign.text')

local M = {}

---@class countersign.RawStatus
---@field running boolean Whether a server runs.
---@field client? integer Its client.
---@field health countersign.Health|'stopped'
---@field mode? string
---@field pending integer How many approvals wait, in all servers.
---@field consecutive { count: integer, limit: integer }? Blocks in a row, of the session that is nearest to its cap.
---@field total { count: integer, limit: integer }? Denials of that session.
---@field armed? string The cap that makes the next call ask.
---@field status? countersign.Status What the server said.

---@type table<integer, countersign.Status>
local last = {}

---@type table<integer, fun(raw: countersign.RawStatus)>
local subscribers = {}
local next_subscriber = 0

--- The session that goes on and is nearest to a cap.
---@param status countersign.Status
---@return countersign.Session?
local function nearest(status)
  local found, share = nil, -1
  for _, session in ipairs(status.sessions) do
    local counters, limits = session.counters, session.limits
    local total = (counters.totalBlock + counters.totalUnavailable) / math.max(limits.total, 1)
    local in_a_row = counters.consecutiveBlock / math.max(limits.consecutiveBlock, 1)
    local own = math.max(total, in_a_row)
    if not session.ended and own > share then
      found, share = session, own
    end
  end
  return found
end

---@return countersign.RawStatus
function M.raw()
  local client = rpc.client()
  local status = client and last[client.id]
  if not client or not status then
    return {
      running = client ~= nil,
      health = 'stopped',
      pending = 0,
      client = client and client.id,
    }
  end
  local pending = 0
  for _, one in pairs(last) do
    pending = pending + one.pending
  end
  local raw = {
    running = true,
    client = client.id,
    health = status.health,
    mode = status.mode,
    pending = pending,
    status = vim.deepcopy(status),
  }
  local session = nearest(status)
  if session then
    local counters, limits = session.counters, session.limits
    raw.mode = session.mode
    raw.armed = session.armed
    raw.consecutive = { count = counters.consecutiveBlock, limit = limits.consecutiveBlock }
    raw.total = { count = counters.totalBlock + counters.totalUnavailable, limit = limits.total }
  end
  return raw
end

--- A line for a status line. A percent sign in it is doubled by nobody here: no
--- word of it comes from an agent.
---@param raw? countersign.RawStatus
---@return string
function M.line(raw)
  raw = raw or M.raw()
  if not raw.running then
    return 'countersign: off'
  elseif not raw.status then
    return 'countersign: …'
  end
  local words = { 'countersign: ' .. text.visible(raw.mode) }
  if raw.pending > 0 then
    words[#words + 1] = ('%d to answer'):format(raw.pending)
  end
  if raw.total and raw.total.count > 0 then
    words[#words + 1] = ('denied %d/%d, %d/%d'):format(
      raw.consecutive.count,
      raw.consecutive.limit,
      raw.total.count,
      raw.total.limit
    )
  end
  if raw.health ~= 'ok' then
    words[#words + 1] = raw.health
  end
  return (table.concat(words, ' · '):gsub('%%', ''))
end

--- The highlight group that fits the status.
---@param raw? countersign.RawStatus
---@return string
function M.highlight(raw)
  raw = raw or M.raw()
  if raw.health == 'error' or raw.health == 'stopped' then
    return 'CountersignStatusError'
  elseif raw.pending > 0 or raw.armed then
    return 'CountersignStatusAsks'
  elseif raw.health == 'warning' then
    return 'CountersignStatusWarning'
  end
  return 'CountersignStatusOk'
end

--- Tells everybody.
function M.announce()
  local raw = M.raw()
  for _, subscriber in pairs(subscribers) do
    local told, problem = pcall(subscriber, vim.deepcopy(raw))
    if not told then
      vim.notify('Countersign: ' .. tostring(problem), vim.log.levels.ERROR)
    end
  end
  vim.api.nvim_exec_autocmds('User', {
    pattern = 'CountersignStatus',
    modeline = false,
    data = raw,
  })
  vim.cmd.redrawstatus({ bang = true })
end

---@param client integer
---@param status countersign.Status
function M.received(client, status)
  last[client] = status
  M.announce()
end

--- The server is gone.
---@param client integer
function M.drop(client)
  last[client] = nil
  M.announce()
end

---@param client integer
---@return countersign.Status?
function M.of(client)
  return last[client]
end

--- Every status that is known, with its client.
---@return table<integer, countersign.Status>
function M.all()
  return last
end

--- Is told the status now and whenever it changes.
---@param subscriber fun(raw: countersign.RawStatus)
---@return fun() unsubscribe
function M.subscribe(subscriber)
  next_subscriber = next_subscriber + 1
  local number = next_subscriber
  subscribers[number] = subscriber
  subscriber(M.raw())
  return function()
    subscribers[number] = nil
  end
end

return M
