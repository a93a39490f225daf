-- Somebody at a terminal with the plugin installed: a real Neovim inside tmux,
-- real keys, and the screen as text. The test looks inside through a socket.

local expect = require('expect')

local Person = {}
Person.__index = Person

local here = vim.fs.dirname(vim.fs.normalize(debug.getinfo(1, 'S').source:sub(2)))

local COLUMNS, LINES = 100, 30

local function tmux(options, ...)
  local command = { options.tmux, '-S', options.folder .. '/tmux', '-f', '/dev/null', ... }
  local result = vim.system(command, { text = true }):wait(60000)
  expect.truth('tmux ' .. table.concat({ ... }, ' '), result.code == 0, result)
  return result.stdout
end

-- Ends the terminals of all tests.
function Person.leave(options)
  vim.system({ options.tmux, '-S', options.folder .. '/tmux', 'kill-server' }):wait(5000)
end

local number = 0

-- Opens Neovim in a workspace. `settings.lua` is run before the plugin is there,
-- `settings.file` is opened, `settings.arguments` come first.
function Person.open(options, context, settings)
  settings = settings or {}
  number = number + 1
  local folder = vim.fs.dirname(context.workspace)
  local self = setmetatable({
    options = options,
    name = 't' .. number,
    socket = ('%s/editor-%d'):format(folder, number),
    home = context.home,
    workspace = context.workspace,
  }, Person)
  local configuration = ('%s/init-%d.lua'):format(folder, number)
  vim.fn.writefile(
    vim.split(
      table.concat({
        ('vim.opt.runtimepath:prepend(%q)'):format(options.root .. '/editors/neovim'),
        ('package.path = %q .. package.path'):format(here .. '/?.lua;'),
        ('vim.g.countersign = { cmd = { %q, "lsp", "--home", %q } }'):format(
          options.countersign,
          context.home
        ),
        ('dofile(%q)'):format(here .. '/init.lua'),
        settings.lua or '',
      }, '\n'),
      '\n'
    ),
    configuration
  )
  local file = settings.file or 'notes.txt'
  local command = { vim.v.progpath, '--clean', '-i', 'NONE', '-n', '--listen', self.socket }
  vim.list_extend(command, settings.arguments or {})
  vim.list_extend(command, { '-u', configuration, file })
  local line = table.concat(vim.tbl_map(vim.fn.shellescape, command), ' ')
  local size = settings.size or { COLUMNS, LINES }
  -- Its own folder: file names are short then.
  local start = { 'new-session', '-d', '-s', self.name, '-x', size[1], '-y', size[2] }
  vim.list_extend(start, { '-c', context.workspace, line })
  tmux(options, unpack(vim.tbl_map(tostring, start)))
  expect.eventually('an editor that listens', function()
    local connected, channel = pcall(vim.fn.sockconnect, 'pipe', self.socket, { rpc = true })
    if connected and channel > 0 then
      self.channel = channel
    end
    return self.channel
  end)
  expect.eventually('an editor that has begun', function()
    return self:lua('return vim.v.vim_did_enter == 1')
  end)
  return self
end

-- Runs Lua inside; what it returns.
function Person:lua(code, ...)
  return vim.rpcrequest(self.channel, 'nvim_exec_lua', code, { ... })
end

-- Waits until Lua inside returns something true.
function Person:sees(expected, code, ...)
  local arguments = { ... }
  return expect.eventually(expected, function()
    local value = self:lua(code, unpack(arguments))
    return value ~= vim.NIL and value, { value = value, screen = self:screen() }
  end)
end

-- Types text as it is.
function Person:types(text)
  tmux(self.options, 'send-keys', '-t', self.name, '-l', text)
end

-- Presses keys by tmux's names.
function Person:presses(...)
  tmux(self.options, 'send-keys', '-t', self.name, ...)
end

-- Types an ex-command.
function Person:commands(line)
  self:types(':' .. line)
  self:presses('Enter')
end

-- What is on the screen, line by line.
function Person:screen()
  return tmux(self.options, 'capture-pane', '-p', '-t', self.name)
end

-- The same with its colours.
function Person:colours()
  return tmux(self.options, 'capture-pane', '-p', '-e', '-N', '-t', self.name)
end

-- Waits until a text is on the screen.
function Person:reads(part)
  return expect.eventually(('a screen with `%s`'):format(part), function()
    local screen = self:screen()
    return screen:find(part, 1, true) and screen, screen
  end)
end

-- Waits until a text is gone from the screen.
function Person:reads_no_more(part)
  expect.eventually(('a screen without `%s`'):format(part), function()
    local screen = self:screen()
    return not screen:find(part, 1, true), screen
  end)
end

-- Waits until the server serves the workspace.
function Person:has_a_server()
  self:sees(
    'a status of the server',
    [[
    return require('countersign').status():find('^countersign: %l') ~= nil
      and select(2, require('countersign').status()).status ~= nil
  ]]
  )
  expect.eventually('a server that says that it serves the workspace', function()
    local found = vim.fn.glob(self.home .. '/run/**/*.server.json', true, true)
    return vim.iter(found):any(function(file)
      local valid, text = pcall(vim.fn.readblob, file)
      return valid and text:find(self.workspace, 1, true)
    end),
      found
  end)
end

-- The workspace is trusted from now on, without having been asked.
function Person:trusts()
  self:lua(
    [[
      local client = vim.lsp.get_clients({ name = 'countersign' })[1]
      local params = { folder = ..., trusted = true }
      require('countersign.rpc').request(client.id, 'countersign/trust', params, function() end)
    ]],
    self.workspace
  )
  self:sees(
    'a workspace that is trusted',
    [[
    local _, raw = require('countersign').status()
    return raw.status.workspaces[1].trusted
  ]]
  )
end

-- Goes to what waits: `:Countersign pending`.
function Person:goes_there()
  self:commands('Countersign pending')
  self:sees('the focus in the window', "return vim.bo.filetype == 'countersign'")
end

-- Waits until a yes would count.
function Person:reads_all()
  self:sees('a window that takes a yes', "return require('countersign.panel').is_armed()")
end

-- What is in the window.
function Person:window()
  return self:lua([[
    for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
      local buffer = vim.api.nvim_win_get_buf(window)
      if vim.bo[buffer].filetype == 'countersign' then
        return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, true), '\n')
      end
    end
    return vim.NIL
  ]])
end

-- Waits for the window; its text.
function Person:is_asked(part)
  return expect.eventually(('a window with `%s`'):format(part or ''), function()
    local text = self:window()
    return text ~= vim.NIL and text:find(part or '', 1, true) and text,
      { window = text, screen = self:screen() }
  end)
end

-- Waits until there is no window, or none with that text.
function Person:is_not_asked(part)
  expect.eventually('no window', function()
    local text = self:window()
    return text == vim.NIL or (part and not text:find(part, 1, true)), self:screen()
  end)
end

function Person:notices()
  return self:lua('return _G.notices')
end

-- Waits for a message.
function Person:is_told(part)
  expect.eventually(('a message with `%s`'):format(part), function()
    local notices = self:notices()
    return vim.iter(notices):any(function(notice)
      return notice:find(part, 1, true)
    end),
      notices
  end)
end

function Person:leaves()
  if self.channel then
    pcall(vim.rpcnotify, self.channel, 'nvim_command', 'qall!')
    vim.wait(5000, function()
      return vim.fn.getftype(self.socket) == ''
    end, 10)
    pcall(vim.fn.chanclose, self.channel)
    self.channel = nil
  end
  vim
    .system({ self.options.tmux, '-S', self.options.folder .. '/tmux', 'kill-session', '-t', self.name })
    :wait(5000)
end

return Person
