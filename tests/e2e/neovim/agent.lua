-- What stands for the coding agent: a process that is not the editor, because
-- Countersign refuses a server that descends from whoever calls the hook. It
-- is a second Neovim, which runs the hook as its own child.

local expect = require('expect')

local Agent = {}
Agent.__index = Agent

local Hook = {}
Hook.__index = Hook

-- Runs in the agent. The hook's end is kept until it is asked for.
local START = [[
  _G.ended = _G.ended or {}
  local number, command, input, folder = ...
  vim.system(command, { stdin = input, text = true, cwd = folder }, function(result)
    ended[number] = result
  end)
]]

local ASK = 'local number = ...; return ended[number] or vim.NIL'

function Agent.start(countersign, home, workspace)
  local command = { vim.v.progpath, '--embed', '--headless', '--clean' }
  local channel = vim.fn.jobstart(command, { rpc = true })
  expect.truth('a second Neovim', channel > 0, channel)
  return setmetatable({
    channel = channel,
    countersign = countersign,
    home = home,
    workspace = workspace,
    session = ('session-%x'):format(vim.uv.hrtime()),
    calls = 0,
  }, Agent)
end

function Agent:stop()
  vim.fn.jobstop(self.channel)
  vim.fn.jobwait({ self.channel }, 5000)
end

-- What the agent says before it uses a tool; the hook waits in the background.
function Agent:calls_tool(tool, input)
  self.calls = self.calls + 1
  local payload = vim.json.encode({
    session_id = self.session,
    transcript_path = self.workspace .. '/transcript.jsonl',
    cwd = self.workspace,
    permission_mode = 'default',
    hook_event_name = 'PreToolUse',
    tool_name = tool,
    tool_input = input,
    tool_use_id = ('toolu_%016x'):format(self.calls),
  })
  local command = {
    self.countersign,
    'hook',
    'claude-code',
    '--event',
    'PreToolUse',
    '--timeout',
    '60',
    '--home',
    self.home,
  }
  local arguments = { self.calls, command, payload, self.workspace }
  vim.rpcrequest(self.channel, 'nvim_exec_lua', START, arguments)
  return setmetatable({ agent = self, number = self.calls }, Hook)
end

-- How the hook ended, or nothing while it waits.
function Hook:outcome()
  local outcome = vim.rpcrequest(self.agent.channel, 'nvim_exec_lua', ASK, { self.number })
  return outcome ~= vim.NIL and outcome or nil
end

function Hook:ends()
  return expect.eventually('the hook ends', function()
    return self:outcome(), 'it still waits'
  end)
end

function Hook:waits()
  local outcome = self:outcome()
  expect.truth('a hook that waits', outcome == nil, outcome)
end

-- The call may run: the answer that the agent takes for a yes.
function Hook:allows()
  local outcome = self:ends()
  expect.truth('a hook that allows', outcome.code == 0 and outcome.signal == 0, outcome)
  local valid, answer = pcall(vim.json.decode, outcome.stdout)
  expect.truth('JSON on standard output', valid, outcome)
  expect.equal('allow', vim.tbl_get(answer, 'hookSpecificOutput', 'permissionDecision'))
end

-- The call is blocked: the one exit status that the agent honours, a reason
-- for the model, and nothing that could be read as an answer.
function Hook:blocks()
  local outcome = self:ends()
  expect.truth('a hook that blocks', outcome.code == 2 and outcome.signal == 0, outcome)
  expect.equal('', outcome.stdout)
  expect.truth('a reason on standard error', vim.trim(outcome.stderr) ~= '', outcome)
  return outcome.stderr
end

return Agent
