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

-- Opens the editor on a workspace; `attach` starts the server.
function Editor.open(countersign, home, workspace)
  local editor = setmetatable({
    countersign = countersign,
    home = home,
    workspace = workspace,
    prompts = {},
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
  elseif choice.text:find('Trust', 1, true) then
    -- The workspace stays as little trusted as it is.
    choice:picks(choice.titles[1])
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
  self.client = id
  expect.eventually('a server that has answered `initialize`', function()
    local client = vim.lsp.get_client_by_id(id)
    return self.ended or client and client.initialized, 'no answer'
  end)
  expect.truth('a server that runs', not self.ended, self.ended)
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

-- Waits for a diagnostic of a file; `pattern` is matched with its whole name.
function Editor:diagnostic(pattern)
  return expect.eventually('a diagnostic of ' .. pattern, function()
    local all = self:diagnostics()
    for _, diagnostic in ipairs(all) do
      if diagnostic.file:find(pattern) and diagnostic.severity ~= 'INFO' then
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
    return self.prompts[number], seen(self.prompts)
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

-- Leaves: the server must end by itself, and well.
function Editor:close()
  if self.client and vim.lsp.get_client_by_id(self.client) then
    local client = vim.lsp.get_client_by_id(self.client)
    -- A method since 0.11, before that a function.
    if vim.fn.has('nvim-0.11') == 1 then
      client:stop()
    else
      client.stop()
    end
  end
  vim.cmd('silent! %bwipeout!')
  vim.diagnostic.reset()
  if self.client then
    local ended = expect.eventually('a server that ends with its editor', function()
      return self.ended, 'it still runs'
    end)
    expect.equal({ code = 0, signal = 0 }, ended)
  end
end

return Editor
