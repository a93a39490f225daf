-- This Neovim as somebody has it who installed no plugin: the server is known
-- to `vim.lsp.start` and nothing else. What a person sees is recorded, what a
-- person picks is for the test to say.

local expect = require('expect')

local Editor = {}
Editor.__index = Editor

-- A list that a person picks from: a prompt of the server, or code actions.
local Choice = {}
Choice.__index = Choice

-- A yes counts from then on, in milliseconds after the prompt was shown:
-- Countersign does not take a faster one for somebody's who has read it.
local READ = 700

local function text_of(window)
  local buffer = vim.api.nvim_win_get_buf(window)
  return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, true), '\n')
end

-- Opens the editor on a workspace; `attach` starts the server.
function Editor.open(countersign, home, workspace)
  local editor = setmetatable({
    countersign = countersign,
    home = home,
    workspace = workspace,
    prompts = {},
    offers = {},
    menus = {},
    notices = {},
    statuses = {},
  }, Editor)
  vim.ui.select = function(items, options, pick)
    editor:shows(items, options or {}, pick)
  end
  vim.notify = function(text)
    table.insert(editor.notices, text)
  end
  return editor
end

-- Everything that asks a person ends here.
function Editor:shows(items, options, pick)
  local title = options.format_item or tostring
  local choice = setmetatable({
    text = options.prompt or '',
    titles = vim.tbl_map(function(item)
      return title(item)
    end, items),
    items = items,
    pick = pick,
    since = vim.uv.hrtime(),
  }, Choice)
  if options.kind == 'codeaction' then
    table.insert(self.menus, choice)
  elseif choice.text:find('Countersign: Trust ', 1, true) then
    -- It comes by itself when an agent works in a folder that nobody trusts.
    -- The folder stays as little trusted as it is, unless a test has its way.
    table.insert(self.offers, choice)
    if not self.decides_on_trust then
      choice:picks('Not now')
    end
  else
    table.insert(self.prompts, choice)
  end
end

-- Picks the entry with that title, or the only one that begins so.
function Choice:picks(wanted)
  local found = {}
  for index, title in ipairs(self.titles) do
    if title == wanted then
      found = { index }
      break
    elseif vim.startswith(title, wanted) then
      table.insert(found, index)
    end
  end
  expect.truth(('one entry `%s`'):format(wanted), #found == 1, self:seen())
  self.pick(self.items[found[1]], found[1])
end

-- As `picks`, by somebody who reads first.
function Choice:picks_after_reading(wanted)
  vim.wait(READ, function()
    return (vim.uv.hrtime() - self.since) / 1e6 >= READ
  end, 10)
  self:picks(wanted)
end

function Choice:offers(wanted)
  return vim.iter(self.titles):any(function(title)
    return vim.startswith(title, wanted)
  end)
end

-- For people who read a failure.
function Choice:seen()
  return { text = self.text, titles = self.titles }
end

local function seen(choices)
  return vim.tbl_map(function(choice)
    return choice:seen()
  end, choices)
end

-- Writes a file of the workspace and opens it.
function Editor:edits(name, lines)
  local path = self.workspace .. '/' .. name
  if lines then
    vim.fn.mkdir(vim.fs.dirname(path), 'p')
    vim.fn.writefile(lines, path)
  end
  vim.cmd.edit(vim.fn.fnameescape(path))
  return path
end

-- Starts the server, or uses the one that runs, for the current file.
-- `declared` are capabilities that Neovim has not by itself.
function Editor:attach(declared)
  local configuration = {
    name = 'countersign',
    cmd = { self.countersign, 'lsp', '--home', self.home },
    root_dir = self.workspace,
    on_exit = function(code, signal)
      self.ended = { code = code, signal = signal }
    end,
  }
  self.hears_its_end = true
  if declared then
    local own = vim.lsp.protocol.make_client_capabilities()
    configuration.capabilities = vim.tbl_deep_extend('force', own, declared)
    configuration.handlers = {
      ['experimental/serverStatus'] = function(_, status)
        table.insert(self.statuses, status)
      end,
    }
  end
  local id = vim.lsp.start(configuration)
  expect.truth('a client', id)
  expect.truth('the same server for every file', not self.client or self.client == id, id)
  self:uses(id)
end

-- Takes a client for this editor's, and waits until its server runs.
function Editor:uses(id)
  self.client = id
  expect.eventually('a server that has answered `initialize`', function()
    local client = vim.lsp.get_client_by_id(id)
    return self.ended or client and client.initialized, 'no answer'
  end)
  expect.truth('a server that runs', not self.ended, self.ended)
  -- Hooks find it only from then on. Before, they decide without it.
  expect.eventually('a server that says that it serves the workspace', function()
    local found = vim.fn.glob(self.home .. '/run/**/*.server.json', true, true)
    return vim.iter(found):any(function(file)
      local valid, text = pcall(vim.fn.readblob, file)
      return valid and text:find(self.workspace, 1, true)
    end),
      found
  end)
  -- What comes in is dealt with in order: it knows then that it may ask.
  self:command('showPending')
end

-- The diagnostics of Countersign, in every file, each with its file's name.
function Editor:diagnostics()
  local all = {}
  for _, diagnostic in ipairs(vim.diagnostic.get()) do
    if diagnostic.source == 'countersign' then
      table.insert(all, {
        file = vim.api.nvim_buf_get_name(diagnostic.bufnr),
        line = diagnostic.lnum + 1,
        column = diagnostic.col,
        severity = vim.diagnostic.severity[diagnostic.severity],
        message = diagnostic.message,
      })
    end
  end
  return all
end

-- Waits for a diagnostic of a file; `pattern` is matched with its whole name,
-- `part` is in its message.
function Editor:diagnostic(pattern, part)
  local expected = ('a diagnostic of %s with `%s`'):format(pattern, part or '')
  return expect.eventually(expected, function()
    local all = self:diagnostics()
    for _, diagnostic in ipairs(all) do
      local is_it = diagnostic.file:find(pattern) and diagnostic.severity ~= 'INFO'
      if is_it and diagnostic.message:find(part or '', 1, true) then
        return diagnostic
      end
    end
    return nil, all
  end)
end

-- Waits until nothing is pointed at any more but counters.
function Editor:diagnostics_vanish()
  expect.eventually('no diagnostic that is not information', function()
    local left = vim.tbl_filter(function(diagnostic)
      return diagnostic.severity ~= 'INFO'
    end, self:diagnostics())
    return #left == 0, left
  end)
end

-- Waits for the prompt with that number, the first being 1.
function Editor:prompt(number)
  return expect.eventually(('prompt %d'):format(number), function()
    return self.prompts[number], { prompts = seen(self.prompts), notices = self.notices }
  end)
end

-- Waits until the person is shown a document of Countersign with that text;
-- the window and the file that it is in.
function Editor:is_shown(part)
  local folder = vim.uv.fs_realpath(self.home .. '/run/documents') or self.home
  local shown = expect.eventually('a document with ' .. part, function()
    local windows = {}
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      local file = vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(window))
      local text = text_of(window)
      table.insert(windows, { file = file, text = text })
      if vim.startswith(file, folder .. '/') and text:find(part, 1, true) then
        return { window = window, file = file }
      end
    end
    return nil, windows
  end)
  return shown.window, shown.file
end

-- Runs a command of the server as `:lua` or a key of the user's would; the
-- answer.
function Editor:command(name, ...)
  local parameters = { command = 'countersign.server.' .. name, arguments = { ... } }
  local answer
  local function handler(problem, result)
    answer = { problem = problem, result = result }
  end
  local client = vim.lsp.get_client_by_id(self.client)
  if vim.fn.has('nvim-0.11') == 1 then
    client:request('workspace/executeCommand', parameters, handler)
  else
    client.request('workspace/executeCommand', parameters, handler)
  end
  return expect.eventually('an answer to ' .. name, function()
    return answer, 'none'
  end)
end

-- What `K` shows at the first place of a text in the current file.
function Editor:hover(part)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  expect.truth(part .. ' in the file', vim.fn.search([[\V]] .. part, 'c') > 0, text_of(0))
  vim.lsp.buf.hover()
  local window = expect.eventually('a hover', function()
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= '' then
        return window
      end
    end
    return nil, self.notices
  end)
  local text = text_of(window)
  vim.api.nvim_win_close(window, true)
  return text
end

-- The titles of the code lenses of the current file, by line.
function Editor:lenses()
  local buffer = vim.api.nvim_get_current_buf()
  local is_new = vim.fn.has('nvim-0.12') == 1
  if is_new then
    vim.lsp.codelens.enable(true, { bufnr = buffer })
  else
    vim.lsp.codelens.refresh({ bufnr = buffer })
  end
  return expect.eventually('code lenses', function()
    local titles = {}
    for _, found in ipairs(vim.lsp.codelens.get(is_new and { bufnr = buffer } or buffer)) do
      local lens = found.lens or found
      titles[lens.range.start.line + 1] = lens.command.title
    end
    return next(titles) and titles, 'none'
  end)
end

-- The code actions at a diagnostic of the current file.
function Editor:code_actions(diagnostic)
  vim.api.nvim_win_set_cursor(0, { diagnostic.line, diagnostic.column })
  local number = #self.menus + 1
  vim.lsp.buf.code_action()
  return expect.eventually('code actions', function()
    return self.menus[number], { diagnostics = self:diagnostics(), notices = self.notices }
  end)
end

-- Waits for a state of the server in the way that several editors show.
function Editor:status(expected, matches)
  return expect.eventually(expected, function()
    local last = self.statuses[#self.statuses]
    return last and matches(last) and last, self.statuses
  end)
end

-- Ends the server, which must end by itself and well. What it drew goes too.
function Editor:stops_the_server()
  local id = self.client
  if vim.lsp.get_client_by_id(id) then
    -- Deprecated since 0.12 in favour of a method that 0.10 has not.
    local client = vim.lsp.get_client_by_id(id)
    if vim.fn.has('nvim-0.11') == 1 then
      client:stop()
    else
      vim.lsp.stop_client(id)
    end
  end
  if self.hears_its_end then
    local ended = expect.eventually('a server that ends with its editor', function()
      return self.ended, 'it still runs'
    end)
    expect.equal({ code = 0, signal = 0 }, ended)
  end
  expect.eventually('a client that is gone', function()
    return not vim.lsp.get_client_by_id(id)
  end)
  self.client, self.ended = nil, nil
end

-- Leaves.
function Editor:close()
  if self.client then
    self:stops_the_server()
  end
  vim.cmd('silent! only!')
  vim.cmd('silent! %bwipeout!')
  vim.diagnostic.reset()
end

return Editor
