--- Documents of the scheme `countersign:`: sessions as the server writes them, the
--- journal and the status as the plugin does. Read-only, and fetched anew when
--- what they tell has changed.

local notify = require('countersign.notify')
local rpc = require('countersign.rpc')
local status = require('countersign.status')
local text = require('countersign.text')

local M = {}

M.JOURNAL = 'countersign:/journal'
M.STATUS = 'countersign:/status'

--- Rows of the journal that are shown.
local ROWS = 200

---@type table<integer, true> Buffers whose text is being fetched.
local fetching = {}
---@type table<integer, true> Of those, the ones that changed meanwhile.
local changed = {}

--- Writes a text into a buffer; the cursor stays where it is, or at the end.
---@param buffer integer
---@param lines string[]
local function write(buffer, lines)
  if not vim.api.nvim_buf_is_valid(buffer) then
    return
  end
  local count = vim.api.nvim_buf_line_count(buffer)
  local at_end = {}
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    local line = vim.api.nvim_win_get_cursor(window)[1]
    at_end[window] = count > 1 and line == count
  end
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].modified = false
  for window, follows in pairs(at_end) do
    if follows then
      vim.api.nvim_win_set_cursor(window, { #lines, 0 })
    end
  end
end

---@param words string
---@return string[]
local function lines_of(words)
  return vim.split((words:gsub('\n$', '')), '\n', { plain = true })
end

---@param row countersign.JournalRow
---@return string
local function journal_line(row)
  local when = os.date('%Y-%m-%d %H:%M:%S', math.floor(row.time / 1000))
  local who = row.key and row.key.agent or ''
  local words = { when, row.kind, who, row.tool or '', row.decision or '', row.reason or '' }
  words = vim.tbl_filter(function(one)
    return one ~= ''
  end, words)
  local line = table.concat(words, '  ')
  if row.subject then
    line = ('%s  %s'):format(line, row.subject)
  end
  return text.visible(line)
end

--- The status in words.
---@return string[]
function M.status_lines()
  local raw = status.raw()
  local lines = { '# Countersign', '', status.line(raw) }
  local current = raw.status
  if not current then
    lines[#lines + 1] = raw.running and 'The server has said nothing yet.'
      or 'No server runs; open a file of a workspace, or see :checkhealth countersign.'
    return lines
  end
  local function say(words)
    lines[#lines + 1] = text.visible(words)
  end
  for _, problem in ipairs(current.degraded) do
    say('- Not as it should be: ' .. problem)
  end
  local classifier = current.classifier
  say(('- Model: %s %s'):format(classifier.state, classifier.model or ''))
  if classifier.problem then
    say('  ' .. classifier.problem)
  end
  say('- Server: ' .. current.version)
  say('')
  say('## Workspaces')
  for _, workspace in ipairs(current.workspaces) do
    local trust = workspace.trusted and 'trusted' or 'not trusted'
    say(('- %s: %s, %s mode'):format(workspace.folder, trust, workspace.mode))
    local waits = #workspace.pending + #workspace.withdrawn + #workspace.removed
    if waits > 0 then
      say(('  %d entries of its settings wait for your word'):format(waits))
    end
  end
  say('')
  say('## Sessions')
  local layout = require('countersign.layout')
  for _, session in ipairs(current.sessions) do
    local state = session.ended and ', ended' or session.elsewhere and ', decided elsewhere' or ''
    say(('- %s %s: %s mode%s'):format(session.agent, session.session, session.mode, state))
    say('  ' .. layout.denials(session.counters, session.limits))
    if session.armed then
      say('  the next call asks: ' .. session.armed)
    end
    if session.paused then
      say('  asking is paused until you act')
    end
  end
  return lines
end

--- The client that knows a document.
---@param uri string
---@return integer?
local function client_of(uri)
  for client, one in pairs(status.all()) do
    for _, session in ipairs(one.sessions) do
      if session.uri == uri then
        return client
      end
    end
  end
  local client = rpc.client()
  return client and client.id
end

---@param uri string
---@param done fun(lines: string[])
local function fetch(uri, done)
  if uri == M.STATUS then
    done(M.status_lines())
    return
  end
  local client = client_of(uri)
  if not client then
    done({ 'No server of Countersign runs.' })
    return
  end
  local function failed(problem)
    done({ 'This cannot be shown: ' .. text.visible(problem.message) })
  end
  if uri == M.JOURNAL then
    rpc.request(client, 'countersign/journal', { limit = ROWS }, function(result, problem)
      if problem then
        failed(problem)
        return
      end
      local lines = vim.tbl_map(journal_line, result.rows)
      done(#lines > 0 and lines or { 'The journal is empty.' })
    end)
    return
  end
  rpc.request(client, 'workspace/textDocumentContent', { uri = uri }, function(result, problem)
    if problem then
      failed(problem)
      return
    end
    done(lines_of(result.text))
  end)
end

--- Fetches a document's text anew, one request at a time.
---@param buffer integer
local function refresh(buffer)
  if not vim.api.nvim_buf_is_valid(buffer) then
    return
  end
  if fetching[buffer] then
    changed[buffer] = true
    return
  end
  fetching[buffer] = true
  fetch(vim.api.nvim_buf_get_name(buffer), function(lines)
    fetching[buffer] = nil
    write(buffer, lines)
    if changed[buffer] then
      changed[buffer] = nil
      refresh(buffer)
    end
  end)
end

--- Fills a buffer of our scheme (`BufReadCmd`).
---@param buffer integer
function M.read(buffer)
  local uri = vim.api.nvim_buf_get_name(buffer)
  local options = vim.bo[buffer]
  options.buftype = 'nofile'
  options.bufhidden = 'hide'
  options.swapfile = false
  options.modeline = false
  options.undolevels = -1
  options.modifiable = false
  options.filetype = uri == M.JOURNAL and 'countersignjournal' or 'markdown'
  local client = client_of(uri)
  if client and uri ~= M.JOURNAL and uri ~= M.STATUS then
    -- Diagnostics, code actions, lenses and hovers of a session.
    vim.lsp.buf_attach_client(buffer, client)
  end
  refresh(buffer)
end

--- Fetches the buffers anew whose URI it is.
---@param is_meant fun(uri: string): boolean
local function refresh_all(is_meant)
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    local name = vim.api.nvim_buf_get_name(buffer)
    local is_ours = vim.startswith(name, 'countersign:/') and vim.api.nvim_buf_is_loaded(buffer)
    if is_ours and is_meant(name) then
      refresh(buffer)
    end
  end
end

--- The server says that a document has changed.
---@param uri string
function M.refreshed(uri)
  refresh_all(function(name)
    return name == uri
  end)
end

--- Anything has changed: what the plugin writes itself is written anew.
function M.status_changed()
  refresh_all(function(name)
    return name == M.JOURNAL or name == M.STATUS
  end)
end

--- Splits an ordinary window: a float cannot be split, and the new window may
--- show another buffer whatever the old one may.
---@param buffer integer
local function split(buffer)
  if vim.api.nvim_win_get_config(0).relative ~= '' then
    for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
      if vim.api.nvim_win_get_config(window).relative == '' then
        vim.api.nvim_set_current_win(window)
        break
      end
    end
  end
  vim.cmd.split()
  vim.api.nvim_set_option_value('winfixbuf', false, { win = 0, scope = 'local' })
  vim.api.nvim_win_set_buf(0, buffer)
end

--- Opens a document in a window of its own, or goes to where it is open.
---@param uri string
function M.open(uri)
  local buffer = vim.fn.bufadd(uri)
  local window = vim.fn.win_findbuf(buffer)[1]
  if window then
    vim.api.nvim_set_current_win(window)
    return
  end
  vim.bo[buffer].buflisted = true
  split(buffer)
end

--- Shows Markdown that was fetched once.
---@param markdown string
local function show(markdown)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].modeline = false
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines_of(markdown))
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].filetype = 'markdown'
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buffer, nowait = true })
  split(buffer)
end

--- Shows why a call was decided as it was.
---@param client integer
---@param id string
function M.explain(client, id)
  rpc.request(client, 'countersign/explain', { id = id }, function(result, problem)
    if problem then
      notify.failure(problem.message)
    else
      show(result.markdown)
    end
  end)
end

--- Shows the change that a call proposes, as the server tells it.
---@param client integer
---@param id string
function M.show_change(client, id)
  rpc.command(client, 'showChange', { id }, function(result, problem)
    if problem or type(result) ~= 'string' then
      notify.failure(problem and problem.message or 'there is no change to show')
    else
      show(result)
    end
  end)
end

return M
