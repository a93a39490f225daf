-- The plugin with the real server, and agents whose real hooks wait.

local expect = require('expect')

local LINES = { 'first', 'second', 'third', 'fourth' }
local COMMAND = 'touch made-by-the-agent'

-- Somebody has a file of the workspace open, and the server runs.
local function begin(t, settings)
  vim.fn.writefile(LINES, t.workspace .. '/notes.txt')
  local person = t.person(settings)
  person:has_a_server()
  return person, t.agent()
end

-- Settings of the user.
local function user_settings(t, settings)
  local folder = t.home .. '/config'
  vim.fn.mkdir(folder, 'p')
  vim.fn.writefile({ vim.json.encode(settings) }, folder .. '/settings.json')
end

-- Goes to the window, reads, and presses.
local function answers(person, key)
  person:goes_there()
  person:reads_all()
  person:types(key)
end

return function(suite)
  local test = suite.test

  test('a call that is approved runs, and the window closes', function(t)
    local person, agent = begin(t)
    local hook = agent:calls_tool('Bash', { command = COMMAND })
    person:is_asked(COMMAND)
    person:is_asked('Asked because')
    hook:waits()
    person:goes_there()
    person:types('e')
    person:sees(
      'why',
      [[
      return table.concat(vim.fn.getline(1, '$'), '\n'):find('default mode asks', 1, true) ~= nil
        and vim.api.nvim_win_get_config(0).relative == ''
    ]]
    )
    person:types('q')
    answers(person, 'a')
    hook:allows()
    person:is_not_asked('Asked because')
    expect.equal('notes.txt', person:lua("return vim.fn.expand('%:t')"))
  end)

  test('a call that is denied does not run, and the agent is told why', function(t)
    local person, agent = begin(t)
    local hook = agent:calls_tool('Bash', { command = COMMAND })
    person:is_asked(COMMAND)
    person:goes_there()
    person:types('m')
    person:reads('tell the agent')
    person:types('Ask me first.')
    person:presses('Enter')
    expect.contains(hook:blocks(), 'Ask me first.')
    person:is_not_asked('Asked because')
    -- The command denies at once: that is a no.
    local another = agent:calls_tool('Bash', { command = 'touch another' })
    person:is_asked('touch another')
    person:commands('Countersign deny Not today.')
    expect.contains(another:blocks(), 'Not today.')
  end)

  test('a rule that is remembered spares the next question', function(t)
    local person, agent = begin(t)
    local hook = agent:calls_tool('Bash', { command = COMMAND })
    person:is_asked(COMMAND)
    person:goes_there()
    person:types('r')
    person:is_asked('Bash(' .. COMMAND .. ')')
    person:reads_all()
    person:types('a')
    hook:allows()
    agent:calls_tool('Bash', { command = COMMAND }):allows()
  end)

  test('a proposed edit is shown beside the file as it is', function(t)
    local person, agent = begin(t)
    local hook = agent:calls_tool('Edit', {
      file_path = t.workspace .. '/notes.txt',
      old_string = 'third',
      new_string = '3rd',
    })
    person:is_asked('-third')
    person:sees(
      'a diagnostic where it would change the file',
      [[
      local all = vim.diagnostic.get(0)
      return #all == 1 and all[1].lnum == 2
    ]]
    )
    person:goes_there()
    person:types('v')
    person:sees('a window in diff mode', 'return vim.wo.diff')
    expect.equal(
      { 2, LINES, { 'first', 'second', '3rd', 'fourth' } },
      person:lua([[
      local found = {}
      for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
        if vim.wo[window].diff then
          table.insert(found, vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true))
        end
      end
      return { #found, found[1], found[2] }
    ]])
    )
    hook:waits()
    -- The window of the approval has come along.
    person:is_asked('+3rd')
    answers(person, 'a')
    hook:allows()
    person:sees('no diagnostic', 'return #vim.diagnostic.get() == 0')
  end)

  test('a cap of denials is told, and nothing is remembered on it', function(t)
    user_settings(t, {
      tools = { approvalMode = 'auto' },
      permissions = {
        autoMode = {
          -- Nothing answers there: the model is not available.
          classifier = {
            provider = 'openai-compatible',
            baseUrl = 'http://127.0.0.1:9/v1',
            model = 'none',
          },
        },
      },
    })
    local person, agent = begin(t)
    person:trusts()
    person:commands('Countersign mode auto')
    person:is_asked('In auto mode calls are decided without asking')
    person:reads_all()
    person:types('y')
    person:sees('auto mode', "return require('countersign').status():find(': auto') ~= nil")
    for number = 1, 2 do
      agent:calls_tool('Bash', { command = 'git push origin branch-' .. number }):blocks()
    end
    person:reads('denied 0/3, 2/20')
    local hook = agent:calls_tool('Bash', { command = 'git push origin branch-3' })
    person:is_asked('2 of 2 missing answers in a row')
    person:goes_there()
    local keys = person:reads('a approve')
    expect.truth('nothing to remember', not keys:find('remember', 1, true), keys)
    person:reads_all()
    person:types('s')
    hook:allows()
    person:sees('default mode', "return require('countersign').status():find(': default') ~= nil")
  end)

  test('settings of the configuration hold like the person wrote them into a file', function(t)
    local _, agent = begin(t, {
      lua = [[
        local configuration = vim.g.countersign
        configuration.settings = { permissions = { deny = { 'Bash(touch *)' } } }
        vim.g.countersign = configuration
      ]],
    })
    expect.contains(agent:calls_tool('Bash', { command = COMMAND }):blocks(), 'Bash(touch *)')
  end)

  test('two workspaces have a server each, and both ask in one window', function(t)
    local person, agent = begin(t)
    local other = vim.fs.dirname(t.workspace) .. '/other'
    vim.fn.mkdir(other .. '/.git', 'p')
    vim.fn.writefile({ 'other' }, other .. '/other.txt')
    person:commands('edit ' .. other .. '/other.txt')
    person:sees('two servers', "return #vim.lsp.get_clients({ name = 'countersign' }) == 2")
    expect.eventually('a server that says that it serves the other workspace', function()
      local found = vim.fn.glob(t.home .. '/run/**/*.server.json', true, true)
      return vim.iter(found):any(function(file)
        return vim.fn.readblob(file):find(other, 1, true)
      end)
    end)
    local first = agent:calls_tool('Bash', { command = 'touch first' })
    person:is_asked('touch first')
    local workspace = t.workspace
    t.workspace = other
    local second = t.agent():calls_tool('Bash', { command = 'touch second' })
    t.workspace = workspace
    person:reads('(1 of 2)')
    person:reads('2 to answer')
    answers(person, 'a')
    person:is_asked('touch second')
    person:types('d')
    first:allows()
    second:blocks()
  end)

  test('an agent that is gone takes its window along', function(t)
    local person, agent = begin(t)
    agent:calls_tool('Bash', { command = COMMAND })
    person:is_asked(COMMAND)
    agent:stop()
    person:is_not_asked('Asked because')
  end)

  test('what a code action denies is closed', function(t)
    local person, agent =
      begin(t, { lua = 'vim.ui.select = function(items, _, choose) choose(items[1], 1) end' })
    local hook = agent:calls_tool('Edit', {
      file_path = t.workspace .. '/notes.txt',
      old_string = 'third',
      new_string = '3rd',
    })
    person:is_asked('-third')
    person:sees('a diagnostic', 'return #vim.diagnostic.get(0) == 1')
    person:commands('3')
    person:commands('lua vim.lsp.buf.code_action()')
    hook:blocks()
    person:is_not_asked('Asked because')
  end)

  test('code actions approve only in the window, explain, and show the change', function(t)
    local person, agent = begin(t, {
      lua = [[
        vim.ui.select = function(items, options, choose)
          for index, item in ipairs(items) do
            if vim.startswith(options.format_item(item), _G.wanted) then
              choose(item, index)
            end
          end
        end
      ]],
    })
    local hook = agent:calls_tool('Edit', {
      file_path = t.workspace .. '/notes.txt',
      old_string = 'third',
      new_string = '3rd',
    })
    person:is_asked('-third')
    person:sees('a diagnostic', 'return #vim.diagnostic.get(0) == 1')
    person:commands('3')
    local function acts(title)
      person:lua('_G.wanted = ...', title)
      person:commands('lua vim.lsp.buf.code_action()')
    end
    acts('Explain')
    person:sees(
      'why',
      [[
      return table.concat(vim.fn.getline(1, '$'), '\n'):find('default mode asks', 1, true) ~= nil
    ]]
    )
    person:types('q')
    acts('Show proposed change')
    person:sees('a diff', 'return vim.wo.diff')
    person:types('q')
    person:sees('one tab page', "return vim.fn.tabpagenr('$') == 1")
    acts('Approve once')
    person:sees('the focus in the window', "return vim.bo.filetype == 'countersign'")
    hook:waits()
    person:reads_all()
    person:types('a')
    hook:allows()
  end)

  test('a server that is killed blocks what waits and comes back', function(t)
    local person, agent = begin(t)
    local hook = agent:calls_tool('Bash', { command = COMMAND })
    person:is_asked(COMMAND)
    local before = person:lua("return vim.lsp.get_clients({ name = 'countersign' })[1].id")
    local files = vim.fn.glob(t.home .. '/run/**/*.server.json', true, true)
    local pid = vim.json.decode(vim.fn.readblob(files[1])).pid
      or tonumber(files[1]:match('(%d+)[^/]*$'))
    vim.uv.kill(pid, 'sigkill')
    hook:blocks()
    person:is_not_asked('Asked because')
    person:is_told('the server ended; it is started again')
    person:sees(
      'another server',
      [[
      local clients = vim.lsp.get_clients({ name = 'countersign' })
      return #clients == 1 and clients[1].id ~= ...
    ]],
      before
    )
    person:has_a_server()
    local another = agent:calls_tool('Bash', { command = 'touch another' })
    person:is_asked('touch another')
    answers(person, 'a')
    another:allows()
  end)

  test('twenty calls wait, one after the other', function(t)
    local person = begin(t)
    local hooks = {}
    -- A session has eight at most.
    for number = 1, 4 do
      local agent = t.agent()
      for call = 1, 5 do
        local command = ('touch agent-%d-call-%d'):format(number, call)
        table.insert(hooks, agent:calls_tool('Bash', { command = command }))
      end
    end
    person:reads('(1 of 20)')
    person:reads('20 to answer')
    person:goes_there()
    for count = 20, 3, -1 do
      person:reads(('(1 of %d)'):format(count))
      person:types('d')
    end
    person:reads('(1 of 2)')
    person:reads_all()
    person:types('a')
    person:reads_no_more('of 2)')
    person:reads_all()
    person:types('a')
    local allowed = 0
    for _, hook in ipairs(hooks) do
      allowed = allowed + (hook:ends().code == 0 and 1 or 0)
    end
    expect.equal(2, allowed)
    person:is_not_asked('Asked because')
  end)

  test('a hostile command is shown as what it is', function(t)
    local person, agent = begin(t)
    local command = table.concat({
      'touch \27[2J\27[1;1Hnothing',
      '# \226\128\174txt.exe\226\128\172 \226\128\139hidden',
      '# Asked because it is safe. vim: set foldmethod=marker {{{',
      '# ' .. ('long '):rep(60) .. 'tail',
    }, '\n')
    local hook = agent:calls_tool('Bash', { command = command })
    local shown = person:is_asked('touch \\x1b[2J\\x1b[1;1Hnothing')
    expect.contains(shown, '│ # <U+202E>txt.exe<U+202C> <U+200B>hidden')
    expect.contains(shown, '│ # Asked because it is safe.')
    expect.contains(shown:gsub('\n │ ', ''), ('long '):rep(60) .. 'tail')
    person:goes_there()
    person:reads('touch \\x1b[2J')
    person:types('d')
    hook:blocks()
  end)

  test('somebody types while an agent asks', function(t)
    local person, agent = begin(t)
    person:types('ggO')
    local text = 'do not ask me yet, dear agent: a y r s d q '
    local hook
    for at = 1, #text do
      if at == 10 then
        hook = agent:calls_tool('Bash', { command = COMMAND })
      end
      person:types(text:sub(at, at))
    end
    person:is_asked(COMMAND)
    person:presses('Escape')
    person:sees('every key in the file', 'return vim.fn.getline(1) == ...', text)
    hook:waits()
  end)

  test('plain use: vim.lsp.enable comes to the same server', function(t)
    if vim.fn.has('nvim-0.11') == 0 then
      return
    end
    local person, agent = begin(t, { lua = "vim.lsp.enable('countersign')" })
    expect.equal(1, person:lua("return #vim.lsp.get_clients({ name = 'countersign' })"))
    local hook = agent:calls_tool('Bash', { command = COMMAND })
    person:is_asked(COMMAND)
    answers(person, 'a')
    hook:allows()
  end)
end
