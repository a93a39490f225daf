--- Windows for what a person decides beside calls: modes, trust, consent, and the
--- server's own questions. Each begins with a no.

local layout = require('countersign.layout')
local notify = require('countersign.notify')
local panel = require('countersign.panel')
local protocol = require('countersign.protocol')
local rpc = require('countersign.rpc')
local text = require('countersign.text')

local M = {}

---@class countersign.Option
---@field label string
---@field chosen fun()

--- Asks something; the first option is a no, the others need a key that is typed
--- after the whole was read.
---@param id string
---@param title string
---@param words string[] Paragraphs.
---@param entries string[]
---@param options countersign.Option[]
---@param focus boolean Whether the person began it.
local function ask(id, title, words, entries, options, focus)
  panel.put({
    id = id,
    urgent = false,
    draw = function(width)
      local lines, spans = layout.question(words, entries, width)
      local actions = {}
      for index, option in ipairs(options) do
        actions[index] = {
          key = index == 1 and 'n' or index == 2 and 'y' or tostring(index),
          label = text.short(option.label, 40),
          guarded = index > 1,
          run = function()
            panel.remove(id)
            option.chosen()
          end,
        }
      end
      return { title = title, lines = lines, spans = spans, actions = actions }
    end,
  })
  if focus then
    panel.show(id, true)
  else
    panel.offer(id)
  end
end

local function nothing() end

---@param problem countersign.Problem?
---@param done? string
local function told(problem, done)
  if problem then
    notify.failure(problem.message)
  elseif done then
    notify.info(done)
  end
end

local ORDER = { plan = 1, default = 2, ['auto-edit'] = 3, auto = 4, yolo = 5 }

--- The names of the modes, the strictest first.
M.MODES = { 'plan', 'default', 'auto-edit', 'auto', 'yolo' }

--- Whether a mode is looser than what it would take the place of: of a session,
--- or of every session and workspace.
---@param mode string
---@param status? countersign.Status
---@param session? countersign.SessionName
---@return boolean
function M.loosens(mode, status, session)
  local wanted = ORDER[mode]
  if not status or not wanted then
    return true
  end
  local modes = {}
  for _, one in ipairs(status.sessions) do
    local is_meant = not session or (one.agent == session.agent and one.session == session.session)
    if is_meant and not one.ended then
      modes[#modes + 1] = one.mode
    end
  end
  if not session then
    modes[#modes + 1] = status.mode
    for _, workspace in ipairs(status.workspaces) do
      modes[#modes + 1] = workspace.mode
    end
  elseif #modes == 0 then
    return true
  end
  return vim.iter(modes):any(function(one)
    return not ORDER[one] or wanted > ORDER[one]
  end)
end

---@param client integer
---@param params table
local function set_mode(client, params)
  local function again(with)
    return function()
      set_mode(client, vim.tbl_extend('force', params, with))
    end
  end
  rpc.request(client, 'countersign/setMode', params, function(result, problem)
    if problem or result.result == 'done' then
      told(problem, params.mode .. ' mode')
    elseif result.result == 'needsNotice' then
      local words = { result.text or '' }
      if #(result.setAside or {}) > 0 then
        words[#words + 1] = 'These rules of yours are set aside while auto mode is on:'
      end
      ask('notice', 'Auto mode', words, result.setAside or {}, {
        { label = 'not now', chosen = nothing },
        { label = 'switch to auto mode', chosen = again({ acknowledged = true }) },
      }, true)
    else
      ask('confirm ' .. params.mode, params.mode .. ' mode', { result.text or '' }, {}, {
        { label = 'no', chosen = nothing },
        { label = 'switch to ' .. params.mode, chosen = again({ confirmed = true }) },
      }, true)
    end
  end)
end

--- Chooses a mode. A stricter one holds at once, a looser one is asked about.
---@param client integer
---@param mode string
---@param status? countersign.Status
---@param session? countersign.SessionName
function M.choose_mode(client, mode, status, session)
  local params = { mode = mode, session = session }
  -- Yolo has a question of the server's own, each time.
  if mode == 'yolo' or not M.loosens(mode, status, session) then
    set_mode(client, params)
    return
  end
  local whose = session and ('session %s of %s'):format(session.session, session.agent)
    or 'all sessions of this server'
  ask('mode', 'Choose a looser mode', { ('Switch %s to %s mode?'):format(whose, mode) }, {}, {
    { label = 'no', chosen = nothing },
    {
      label = ('switch to %s mode'):format(mode),
      chosen = function()
        set_mode(client, params)
      end,
    },
  }, true)
end

---@param client integer
---@param folder string
---@param focus boolean
local function ask_trust(client, folder, focus)
  local words = {
    'Trust this workspace?',
    'In a trusted workspace agents may edit files without asking in auto mode, and the looser '
      .. 'modes can be chosen. What its settings would loosen is asked separately.',
  }
  ask('trust ' .. folder, 'Workspace trust', words, { folder }, {
    { label = 'not now', chosen = nothing },
    {
      label = 'trust this workspace',
      chosen = function()
        local params = { folder = folder, trusted = true }
        rpc.request(client, 'countersign/trust', params, function(_, problem)
          told(problem, 'the workspace is trusted')
        end)
      end,
    },
  }, focus)
end

--- Entries of settings, one by one, with their place.
---@param sign string
---@param all countersign.SettingsEntry[]
---@return string[]
local function told_entries(sign, all)
  return vim.tbl_map(function(entry)
    local place = entry.place and ('  (%s)'):format(entry.place) or ''
    return ('%s %s: %s%s'):format(sign, entry.key, entry.text, place)
  end, all)
end

---@param client integer
---@param id string
---@param params table
---@param words string[]
---@param entries string[]
---@param label string
---@param focus boolean
local function ask_consent(client, id, params, words, entries, label, focus)
  ask(id, 'Settings of the workspace', words, entries, {
    { label = 'not now', chosen = nothing },
    {
      label = label,
      chosen = function()
        rpc.request(client, 'countersign/consent', params, function(_, problem)
          if problem and problem.code == protocol.errors.CHANGED then
            notify.warning('the settings have changed meanwhile; nothing was accepted')
          else
            told(problem, 'accepted')
          end
        end)
      end,
    },
  }, focus)
end

---@param client integer
---@param workspace countersign.Workspace
---@param focus boolean
---@return boolean asked
local function ask_loosening(client, workspace, focus)
  if not workspace.consentDigest or #workspace.pending + #workspace.withdrawn == 0 then
    return false
  end
  local entries = told_entries('+', workspace.pending)
  vim.list_extend(entries, told_entries('-', workspace.withdrawn))
  local id = ('consent %s %s'):format(workspace.folder, workspace.consentDigest)
  local params = {
    folder = workspace.folder,
    digest = workspace.consentDigest,
    what = 'loosening',
  }
  local words =
    { ('The settings of %s would loosen. Accept exactly this?'):format(workspace.folder) }
  ask_consent(client, id, params, words, entries, 'accept exactly this', focus)
  return true
end

---@param client integer
---@param workspace countersign.Workspace
---@param focus boolean
---@return boolean asked
local function ask_removal(client, workspace, focus)
  if not workspace.removalDigest or #workspace.removed == 0 then
    return false
  end
  local id = ('removal %s %s'):format(workspace.folder, workspace.removalDigest)
  local params = { folder = workspace.folder, digest = workspace.removalDigest, what = 'removal' }
  local words = {
    ('These restrictions left the settings of %s and still hold. Drop them?'):format(
      workspace.folder
    ),
  }
  local entries = told_entries('-', workspace.removed)
  ask_consent(client, id, params, words, entries, 'drop these restrictions', focus)
  return true
end

--- What was asked by itself already, by its id: once is enough.
local offered = {} ---@type table<string, true>

---@param id string
---@return boolean
local function is_new(id)
  local new = not offered[id]
  offered[id] = true
  return new
end

--- Takes away questions whose answer would come too late.
---@param workspace countersign.Workspace
local function remove_outdated(workspace)
  local valid = {
    [('consent %s %s'):format(workspace.folder, workspace.consentDigest or '')] = true,
    [('removal %s %s'):format(workspace.folder, workspace.removalDigest or '')] = true,
  }
  for _, card in ipairs(panel.cards()) do
    local kind, rest = card.id:match('^(%a+) (.+)$')
    local is_here = rest and vim.startswith(rest, workspace.folder .. ' ')
    if (kind == 'consent' or kind == 'removal') and is_here and not valid[card.id] then
      panel.remove(card.id)
    elseif card.id == 'trust ' .. workspace.folder and workspace.trusted then
      panel.remove(card.id)
    end
  end
end

--- Asks by itself what a person must say once: trust where an agent works, what
--- settings loosen, what left them.
---@param client integer
---@param status countersign.Status
function M.offer(client, status)
  for _, workspace in ipairs(status.workspaces) do
    remove_outdated(workspace)
    local works_there = vim.iter(status.sessions):any(function(session)
      return session.workspace == workspace.folder and not session.ended
    end)
    if not workspace.trusted then
      -- What a call waits for comes first.
      if works_there and status.pending == 0 and is_new('trust ' .. workspace.folder) then
        ask_trust(client, workspace.folder, false)
      end
    elseif workspace.consentDigest and is_new('consent ' .. workspace.consentDigest) then
      ask_loosening(client, workspace, false)
    end
    if workspace.removalDigest and is_new('removal ' .. workspace.removalDigest) then
      ask_removal(client, workspace, false)
    end
  end
end

--- Asks what waits for the person's word in the workspaces, because they want to.
---@param client integer
---@param status countersign.Status
---@return boolean asked
function M.settings(client, status)
  local asked = false
  for _, workspace in ipairs(status.workspaces) do
    if not workspace.trusted then
      ask_trust(client, workspace.folder, true)
      asked = true
    else
      asked = ask_loosening(client, workspace, true) or asked
    end
    asked = ask_removal(client, workspace, true) or asked
  end
  return asked
end

--- Asks whether what is checked out in a workspace is trusted to execute.
---@param client integer
---@param workspace countersign.Workspace
---@return boolean asked Nothing is, where the server does not tell what is checked out.
function M.baseline(client, workspace)
  local baseline = workspace.baseline
  local head = baseline and baseline.head
  if not head then
    return false
  end
  local function take(whole)
    return function()
      local params = { folder = workspace.folder, commit = head, workTree = whole }
      rpc.request(client, 'countersign/setBaseline', params, function(_, problem)
        told(problem, 'what is checked out is trusted to execute')
      end)
    end
  end
  local words = {
    'Take what is checked out for trusted to execute? Its tests, tasks and scripts then run '
      .. 'without review until an agent changes them.',
    baseline.commit and 'Trusted now: ' .. baseline.commit or 'Nothing is trusted now.',
    'Because: ' .. baseline.by,
    'Checked out:',
  }
  ask('baseline ' .. workspace.folder, 'Trust in code', words, { workspace.folder, head }, {
    { label = 'not now', chosen = nothing },
    { label = 'trust this commit', chosen = take(false) },
    { label = 'and all else in the folder', chosen = take(true) },
  }, true)
  return true
end

--- Asks whether a call that a model denied may run once, exactly as it was.
---@param client integer
---@param id string The guard's id of the call.
---@param otherwise fun() What to do with a server that does not tell the call.
function M.grant(client, id, otherwise)
  rpc.request(client, 'countersign/call', { id = id }, function(call, problem)
    if problem then
      otherwise()
    elseif not call.grantable then
      notify.info('only a call that the model denied can be allowed once')
    else
      local words = { 'Allow this exact call once, within 10 minutes?' }
      ask('grant ' .. id, 'A call that was denied', words, { call.text }, {
        { label = 'no', chosen = nothing },
        {
          label = 'allow this exact call once',
          chosen = function()
            rpc.request(client, 'countersign/grant', { id = id }, function(_, refused)
              told(refused, 'allowed once: the agent may try again')
            end)
          end,
        },
      }, true)
    end
  end)
end

local number = 0

--- A question of the server (`window/showMessageRequest`), in the window of the
--- plugin: whatever took the place of `vim.ui.select` is not asked.
---@param client integer
---@param params lsp.ShowMessageRequestParams
---@param answered fun(item: lsp.MessageActionItem|vim.NIL)
function M.of_server(client, params, answered)
  local items = type(params.actions) == 'table' and params.actions or {}
  if #items == 0 or #vim.api.nvim_list_uis() == 0 then
    notify.info(tostring(params.message))
    answered(vim.NIL)
    return
  end
  number = number + 1
  local options = vim.tbl_map(function(item)
    return {
      label = item.title,
      chosen = function()
        answered(item)
      end,
    }
  end, items)
  local id = ('server %d %d'):format(client, number)
  ask(
    id,
    'Countersign',
    { tostring(params.message) },
    {},
    options,
    vim.api.nvim_get_mode().mode == 'n'
  )
end

--- The server is gone, with what it asked.
---@param client integer
function M.drop(client)
  for _, card in ipairs(panel.cards()) do
    if vim.startswith(card.id, ('server %d '):format(client)) then
      panel.remove(card.id)
    end
  end
end

--- For tests: forgets what was asked.
function M.reset()
  offered = {}
end

return M
