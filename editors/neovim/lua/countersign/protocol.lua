--- The messages of the server, checked as they come in: what is not as
--- docs/protocol.md has it never becomes a window or a status. Unknown fields
--- are left out, so that an older plugin understands a newer server.

local M = {}

--- A checker returns the value as it is used, or nothing and what is wrong.
---@alias countersign.Checker fun(value: any, at: string): any, string?

---@param name string
---@return countersign.Checker
local function primitive(name)
  return function(value, at)
    if type(value) == name then
      return value
    end
    return nil, ('%s is %s, not a %s'):format(at, type(value), name)
  end
end

local text = primitive('string')
local flag = primitive('boolean')

--- A whole number that is not negative and that a double holds exactly.
---@type countersign.Checker
local function whole(value, at)
  if type(value) == 'number' and value >= 0 and value < 2 ^ 53 and value % 1 == 0 then
    return value
  end
  return nil, at .. ' is no whole number'
end

---@type countersign.Checker
local function any(value)
  return value
end

---@param names string[]
---@return countersign.Checker
local function one_of(names)
  return function(value, at)
    if vim.list_contains(names, value) then
      return value
    end
    return nil, ('%s is none of %s'):format(at, table.concat(names, ', '))
  end
end

---@param element countersign.Checker
---@return countersign.Checker
local function list(element)
  return function(value, at)
    if type(value) ~= 'table' or not vim.islist(value) then
      return nil, at .. ' is no list'
    end
    local checked = {}
    for index, one in ipairs(value) do
      local result, problem = element(one, ('%s[%d]'):format(at, index))
      if problem then
        return nil, problem
      end
      checked[index] = result
    end
    return checked
  end
end

---@param required table<string, countersign.Checker>
---@param optional? table<string, countersign.Checker>
---@return countersign.Checker
local function record(required, optional)
  return function(value, at)
    if type(value) ~= 'table' or (vim.islist(value) and #value > 0) then
      return nil, at .. ' is no object'
    end
    local checked = {}
    for name, checker in pairs(required) do
      local result, problem = checker(value[name], at .. '.' .. name)
      if problem then
        return nil, problem
      end
      checked[name] = result
    end
    for name, checker in pairs(optional or {}) do
      local given = value[name]
      if given ~= nil and given ~= vim.NIL then
        local result, problem = checker(given, at .. '.' .. name)
        if problem then
          return nil, problem
        end
        checked[name] = result
      end
    end
    return checked
  end
end

---@type countersign.Checker
local function nothing(value, at)
  if value == nil or value == vim.NIL then
    return vim.NIL
  end
  return nil, at .. ' is something'
end

local counters = record({
  consecutiveBlock = whole,
  consecutiveUnavailable = whole,
  totalBlock = whole,
  totalUnavailable = whole,
})

local limits = record({ consecutiveBlock = whole, consecutiveUnavailable = whole, total = whole })

local model = record({}, {
  stage = text,
  model = text,
  requestId = text,
  messageId = text,
  provider = text,
  stages = list(record({ stage = text, verdict = text, millis = whole, attempts = whole }, {
    requestId = text,
    messageId = text,
    inputTokens = whole,
    cachedTokens = whole,
    outputTokens = whole,
  })),
  problem = text,
})

local approval = record({
  id = text,
  nonce = text,
  digest = text,
  agent = text,
  session = text,
  tool = text,
  cwd = text,
  mode = text,
  reason = text,
  why = text,
  detail = text,
  text = text,
  parts = list(record({ text = text, fine = flag, why = text })),
  effects = list(text),
  suggestions = list(text),
  counters = counters,
  limits = limits,
  askedBefore = whole,
  askedAt = whole,
  deadline = whole,
  focus = flag,
}, {
  subagent = text,
  workspace = text,
  capKind = text,
  model = model,
  marks = list(record({ start = whole, ['end'] = whole, asks = flag }, { effect = whole })),
})

local entries = list(record({ key = text, text = text }, { place = text }))

local session = record({
  agent = text,
  session = text,
  uri = text,
  mode = text,
  counters = counters,
  limits = limits,
  pending = whole,
  started = whole,
  seen = whole,
  ended = flag,
  paused = flag,
  setAside = list(text),
  elsewhere = flag,
}, { subagent = text, armed = text, workspace = text })

local status = record({
  health = one_of({ 'ok', 'warning', 'error' }),
  degraded = list(text),
  mode = text,
  pending = whole,
  workspaces = list(record({
    folder = text,
    trusted = flag,
    mode = text,
    pending = entries,
    withdrawn = entries,
    removed = entries,
    problems = whole,
  }, {
    consentDigest = text,
    removalDigest = text,
    baseline = record({ since = whole, by = text }, { commit = text, head = text }),
  })),
  sessions = list(session),
  classifier = record(
    { state = one_of({ 'none', 'ready', 'unavailable' }) },
    { provider = text, model = text, lastMillis = whole, problem = text }
  ),
  version = text,
}, {
  autoAcknowledged = flag,
  degradedParts = list(record({ part = text, why = text, since = whole })),
  lastDecision = record({
    id = text,
    agent = text,
    session = text,
    tool = text,
    decision = text,
    reason = text,
    time = whole,
  }, { subagent = text }),
})

local content = record({ uri = text })

--- Parameters of what the server sends, by method.
---@type table<string, countersign.Checker>
M.from_server = {
  ['countersign/approvalRequested'] = approval,
  ['countersign/approvalResolved'] = record(
    { id = text, agent = text, session = text, answer = text },
    { subagent = text, decision = text }
  ),
  ['countersign/decision'] = record({
    agent = text,
    session = text,
    callId = text,
    decision = one_of({ 'allow', 'block', 'none' }),
    reason = text,
    message = text,
  }, {
    subagent = text,
    id = text,
    asked = text,
    capKind = text,
    counters = counters,
    model = model,
  }),
  ['countersign/status'] = status,
  ['workspace/textDocumentContent/refresh'] = content,
}

--- Results of what the plugin asks for, by method.
---@type table<string, countersign.Checker>
M.results = {
  ['countersign/call'] = record({
    text = text,
    grantable = flag,
    changes = list(
      record(
        { path = text, kind = one_of({ 'write', 'part', 'delete' }) },
        { before = text, after = text }
      )
    ),
  }),
  ['countersign/consent'] = nothing,
  ['countersign/explain'] = record({ markdown = text }),
  ['countersign/grant'] = nothing,
  ['countersign/journal'] = record({
    rows = list(record({ seq = whole, time = whole, kind = text }, {
      hash = text,
      key = record({ agent = text, session = text }, { subagent = text }),
      call = text,
      agent_call = text,
      tool = text,
      workspace = text,
      mode = text,
      decision = text,
      reason = text,
      detail = text,
      subject = text,
      before = any,
      after = any,
      source = text,
      micros = whole,
    })),
  }),
  ['countersign/pendingApprovals'] = record({ approvals = list(approval) }),
  ['countersign/resetCounters'] = nothing,
  ['countersign/resolveApproval'] = record({ decision = text }, { warning = text }),
  ['countersign/sessions'] = record({ sessions = list(session) }),
  ['countersign/setBaseline'] = nothing,
  ['countersign/setMode'] = record(
    { result = one_of({ 'done', 'needsNotice', 'needsConfirmation' }) },
    { text = text, setAside = list(text) }
  ),
  ['countersign/status'] = status,
  ['countersign/trust'] = nothing,
  ['workspace/textDocumentContent'] = record({ text = text }),
}

--- Codes of errors that the plugin tells apart.
M.errors = {
  NOT_FOUND = -31001,
  TOO_SOON = -31002,
  CHANGED = -31003,
  REFUSED = -31004,
  NOT_DECLARED = -31005,
}

--- What the server sent with a method.
---@param method string
---@param value any
---@return any checked Nothing if it is not as it must be.
---@return string? problem
function M.received(method, value)
  local checker = M.from_server[method]
  if not checker then
    return nil, method .. ' is not known'
  end
  return checker(value, 'params')
end

--- What the server answered to a request.
---@param method string
---@param value any
---@return any checked Nothing if it is not as it must be.
---@return string? problem
function M.answered(method, value)
  local checker = M.results[method]
  if not checker then
    return nil, method .. ' is not known'
  end
  return checker(value, 'result')
end

return M
