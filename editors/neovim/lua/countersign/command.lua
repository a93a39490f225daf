--- `:Countersign`. No sub-command says yes to anything: those that could open a
--- window, in which a key does.

local approvals = require('countersign.approvals')
local documents = require('countersign.documents')
local notify = require('countersign.notify')
local panel = require('countersign.panel')
local questions = require('countersign.questions')
local rpc = require('countersign.rpc')
local server = require('countersign.server')
local status = require('countersign.status')
local text = require('countersign.text')

local M = {}

---@class countersign.Subcommand
---@field about string
---@field run fun(words: string[])
---@field complete? fun(words: string[]): string[] What may come after those words.

--- Opens the window on a card, with the focus.
---@param card string
local function go_to(card)
  panel.show(card, true)
end

--- Opens the one that waits, or asks which. The choice opens and never answers.
local function pending()
  local cards = panel.cards()
  if #cards == 0 then
    notify.info('nothing waits for you')
    return
  end
  local shown = panel.shown()
  if shown or #cards == 1 then
    go_to(shown or cards[1].id)
    return
  end
  local lines = {}
  for _, one in ipairs(approvals.list()) do
    lines[one.card] = one.line
  end
  vim.ui.select(cards, {
    prompt = 'Which do you want to see?',
    kind = 'countersign_pending',
    format_item = function(card)
      return lines[card.id] or card.draw(80).title
    end,
  }, function(card)
    if card then
      go_to(card.id)
    end
  end)
end

--- Denies the only one, or the one on the screen; else asks which to open.
local function deny(words)
  local list = approvals.list()
  local shown = panel.shown()
  local message = #words > 0 and table.concat(words, ' ') or nil
  for _, one in ipairs(list) do
    if #list == 1 or one.card == shown then
      approvals.deny(one.card, message)
      return
    end
  end
  pending()
end

---@param act fun(client: integer, status: countersign.Status?)
local function with_client(act)
  local client = rpc.client()
  if client then
    act(client.id, status.of(client.id))
  else
    notify.warning(
      'no server runs here; open a file of a workspace, or see :checkhealth countersign'
    )
  end
end

---@param id string The beginning of a session's id.
---@param sessions countersign.Session[]
---@return countersign.Session?
local function find_session(id, sessions)
  local found = vim.tbl_filter(function(session)
    return vim.startswith(session.session, id)
  end, sessions)
  return #found == 1 and found[1] or nil
end

---@return string[]
local function session_ids()
  local ids = {}
  for _, one in pairs(status.all()) do
    for _, session in ipairs(one.sessions) do
      ids[#ids + 1] = session.session
    end
  end
  return ids
end

local function mode(words)
  local wanted = words[1]
  if not vim.list_contains(questions.MODES, wanted) then
    notify.warning('which mode? ' .. table.concat(questions.MODES, ', '))
    return
  end
  with_client(function(client, current)
    local session
    if words[2] then
      session = find_session(words[2], current and current.sessions or {})
      if not session then
        notify.warning('there is no such session, or more than one')
        return
      end
      session = { agent = session.agent, session = session.session }
    end
    questions.choose_mode(client, wanted, current, session)
  end)
end

---@param words string[]
---@param sessions countersign.Session[]
local function open_session(words, sessions)
  if words[1] then
    local found = find_session(words[1], sessions)
    if found then
      documents.open(found.uri)
    else
      notify.warning('there is no such session, or more than one')
    end
  elseif #sessions == 1 then
    documents.open(sessions[1].uri)
  elseif #sessions == 0 then
    notify.info('no session is known')
  else
    vim.ui.select(sessions, {
      prompt = 'Which session?',
      kind = 'countersign_session',
      format_item = function(one)
        return text.visible(('%s %s (%s)'):format(one.agent, one.session, one.mode))
      end,
    }, function(one)
      if one then
        documents.open(one.uri)
      end
    end)
  end
end

local function session(words)
  with_client(function(client)
    -- The status may be a moment old.
    rpc.request(client, 'countersign/sessions', nil, function(result, problem)
      if problem then
        notify.failure(problem.message)
      else
        open_session(words, result.sessions)
      end
    end)
  end)
end

local function explain(words)
  with_client(function(client, current)
    local id = words[1] or vim.tbl_get(current or {}, 'lastDecision', 'id')
    if id then
      documents.explain(client, id)
    else
      notify.info('nothing was decided yet')
    end
  end)
end

local function settings()
  with_client(function(client, current)
    if not current or not questions.settings(client, current) then
      notify.info('nothing of the settings waits for your word')
    end
  end)
end

--- Asks about what is checked out in a workspace; the first one if none is named.
local function baseline(words)
  with_client(function(client, current)
    local folder = words[1] and vim.fs.normalize(vim.fn.fnamemodify(words[1], ':p')) or nil
    local workspace = vim.iter(current and current.workspaces or {}):find(function(one)
      return not folder or one.folder == folder
    end)
    if not workspace then
      notify.warning('no such workspace is open here')
    elseif not questions.baseline(client, workspace) then
      rpc.command(client, 'setBaseline', { workspace.folder }, function(_, problem)
        if problem then
          notify.warning(problem.message)
        end
      end)
    end
  end)
end

---@type table<string, countersign.Subcommand>
M.SUBCOMMANDS = {
  pending = { about = 'Open what waits for you.', run = pending },
  approve = { about = 'Open what waits for you; a key in its window approves.', run = pending },
  deny = { about = 'Deny the call that waits; words after it are told to the agent.', run = deny },
  mode = {
    about = 'Choose a mode, perhaps of one session; a looser one is asked about.',
    run = mode,
    complete = function(words)
      return #words == 0 and questions.MODES or #words == 1 and session_ids() or {}
    end,
  },
  session = {
    about = 'Show the document of a session.',
    run = session,
    complete = function(words)
      return #words == 0 and session_ids() or {}
    end,
  },
  journal = {
    about = 'Show the journal.',
    run = function()
      documents.open(documents.JOURNAL)
    end,
  },
  status = {
    about = 'Show the status.',
    run = function()
      documents.open(documents.STATUS)
    end,
  },
  settings = { about = 'Open what waits of trust and settings.', run = settings },
  baseline = {
    about = 'Open the question whether what is checked out is trusted to execute.',
    run = baseline,
  },
  explain = {
    about = 'Say why a call was decided as it was; the last one by itself.',
    run = explain,
  },
  install = {
    about = 'Put Countersign in front of your agents.',
    run = function()
      require('countersign.install').run()
    end,
  },
  restart = { about = 'Start the server anew.', run = server.restart },
  log = {
    about = 'Show what the server and the language client logged.',
    run = function()
      vim.cmd.split({ args = { vim.fn.fnameescape(vim.lsp.log.get_filename()) } })
      vim.bo.modeline = false
      vim.cmd.normal({ 'G', bang = true })
    end,
  },
}

---@param given { fargs: string[] }
function M.run(given)
  local words = vim.list_slice(given.fargs)
  local name = table.remove(words, 1) or 'pending'
  local subcommand = M.SUBCOMMANDS[name]
  if subcommand then
    subcommand.run(words)
  else
    local names = table.concat(M.names(), ', ')
    notify.warning(('there is no `%s`; there are %s'):format(name, names))
  end
end

---@return string[]
function M.names()
  local names = vim.tbl_keys(M.SUBCOMMANDS)
  table.sort(names)
  return names
end

--- Completes the last word of a command line.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local words = vim.split(vim.trim(line), '%s+')
  table.remove(words, 1)
  if lead ~= '' then
    table.remove(words)
  end
  local found
  if #words == 0 then
    found = M.names()
  else
    local name = table.remove(words, 1)
    local subcommand = M.SUBCOMMANDS[name]
    found = subcommand and subcommand.complete and subcommand.complete(words) or {}
  end
  return vim.tbl_filter(function(one)
    return vim.startswith(one, lead)
  end, found)
end

return M
