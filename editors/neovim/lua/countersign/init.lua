--- What other plugins and configurations may use. It has no way to the language
--- client, to an approval or to its nonce: an agent may live in this editor.

local M = {}

--- Configures the plugin. Nobody has to call it; `vim.g.countersign` does the same.
---@param options? countersign.Configuration
function M.setup(options)
  local config = require('countersign.config')
  config.set(options or {})
  local problems = config.check()
  if #problems > 0 then
    require('countersign.notify').warning(table.concat(problems, '; '))
  end
  if vim.v.vim_did_enter == 1 and config.get().autostart then
    require('countersign.server').start_all()
  end
end

--- The status: a line for a status line, and what it was made of.
---@return string line
---@return countersign.RawStatus raw
function M.status()
  local status = require('countersign.status')
  local raw = status.raw()
  return status.line(raw), raw
end

--- Calls a function with the status, now and whenever it changes.
---@param subscriber fun(raw: countersign.RawStatus)
---@return fun() unsubscribe
function M.on_status(subscriber)
  return require('countersign.status').subscribe(subscriber)
end

--- Asks whether a call of an agent may run.
---@param call countersign.Call
--- The callback is called once. Run the tool only if `answer.decision` is `allow`.
---@param callback fun(answer: countersign.Decision|countersign.Answer)
---@return fun() cancel
function M.request(call, callback)
  return require('countersign.request').request(call, callback)
end

--- Reports that a call that was allowed ran.
---@param call countersign.Call
---@param failed? boolean
function M.result(call, failed)
  require('countersign.request').result(call, failed)
end

--- Reports a message that a person sent to an agent.
---@param session { session: string, agent?: string, subagent?: string, cwd?: string }
---@param text string
function M.message(session, text)
  require('countersign.request').message(session, text)
end

--- Reports that a session of an agent began or goes on.
---@param session { session: string, agent?: string, subagent?: string, cwd?: string }
function M.session_began(session)
  require('countersign.request').began(session)
end

--- Reports that a session of an agent ended.
---@param session { session: string, agent?: string, subagent?: string, cwd?: string }
function M.session_ended(session)
  require('countersign.request').ended(session)
end

return M
