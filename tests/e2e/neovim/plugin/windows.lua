-- The window of the plugin, with a server that says what the test wants.

local expect = require('expect')
local examples = require('examples')

local STUB = [[
  stub = require('stub')
  require('countersign').setup({ cmd = stub.start })
]]

-- Opens an editor whose server is the stub.
local function begin(t, settings)
  settings = settings or {}
  vim.fn.writefile({ 'first', 'second' }, t.workspace .. '/notes.txt')
  local person = t.person(vim.tbl_extend('force', settings, { lua = STUB .. (settings.lua or '') }))
  person:sees(
    'a client',
    "return #stub.asked('initialize') > 0 and #stub.asked('countersign/pendingApprovals') > 0"
  )
  return person
end

local function says(person, method, params)
  person:lua('stub.says(...)', method, params)
end

-- A call is asked about.
local function asks(person, changes)
  says(person, 'countersign/approvalRequested', examples.approval(changes))
end

local function resolved(person, id)
  says(person, 'countersign/approvalResolved', {
    id = id or examples.approval().id,
    agent = 'claude-code',
    session = '6f1c2d3e',
    answer = 'cancel',
    decision = 'block',
  })
end

-- What the plugin answered so far.
local function answers(person)
  return person:lua("return stub.asked('countersign/resolveApproval')")
end

local function answered(person, count)
  return expect.eventually(count .. ' answers', function()
    local all = answers(person)
    return #all == count and all, { answers = all, screen = person:screen() }
  end)
end

-- Everything that was typed before has been dealt with.
local function settled(person)
  person:sees('an editor at rest', 'return vim.fn.getchar(1) == 0')
end

local LONG = {}
for line = 1, 80 do
  LONG[line] = ('echo line-%02d'):format(line)
end
LONG = table.concat(LONG, '\n')

return function(suite)
  local test = suite.test

  test('the client declares that it draws approvals and shows documents', function(t)
    local person = begin(t, { lua = 'vim.g.countersign = nil' })
    local params = person:lua("return stub.asked('initialize')[1]")
    expect.equal(
      { kind = 'neovim', documents = true },
      params.capabilities.experimental.countersign
    )
    expect.equal({}, params.initializationOptions.user)
    expect.equal(vim.uri_from_fname(t.workspace), params.rootUri)
  end)

  test('a window comes while somebody types, and neither focus nor a key is lost', function(t)
    local person = begin(t)
    person:types('ggO')
    person:types('before a d ')
    asks(person)
    person:is_asked('cargo test -p api && git push')
    person:types('after a d q y ')
    person:presses('Escape')
    person:sees('all that was typed', "return vim.fn.getline(1) == 'before a d after a d q y '")
    expect.equal('notes.txt', person:lua("return vim.fn.expand('%:t')"))
    expect.equal({}, answers(person))
    -- Normal mode, too: what is typed goes to the file.
    person:types('GAend')
    person:presses('Escape')
    person:sees('the last line', "return vim.fn.getline('$') == 'secondend'")
    expect.equal({}, answers(person))
  end)

  test('only a key that is pressed in the window after it was read says yes', function(t)
    local person = begin(t)
    asks(person)
    person:is_asked()
    person:goes_there()
    person:reads('d deny')
    person:reads_all()
    person:types('a')
    expect.equal({
      id = examples.approval().id,
      nonce = examples.approval().nonce,
      choice = 'approve',
    }, answered(person, 1)[1])
  end)

  test('a key that was typed ahead does nothing, and the wait begins anew', function(t)
    local person = begin(t)
    asks(person)
    person:is_asked()
    -- In one go, as by somebody who types faster than windows open.
    person:types(':Countersign approve')
    person:presses('Enter', 'a', 'a', 'a')
    person:sees('the focus in the window', "return vim.bo.filetype == 'countersign'")
    settled(person)
    expect.equal({}, answers(person))
    person:reads_all()
    expect.equal({}, answers(person))
    person:types('a')
    answered(person, 1)
  end)

  test('a key that waited while the editor was busy does nothing', function(t)
    local person = begin(t)
    asks(person)
    person:is_asked()
    person:types(":execute 'Countersign approve' | sleep 1500m")
    person:presses('Enter')
    person:types('a')
    person:sees('the focus in the window', "return vim.bo.filetype == 'countersign'")
    settled(person)
    expect.equal({}, answers(person))
  end)

  test('a key that nobody typed does nothing: fed keys, a macro, an ex-command', function(t)
    local person = begin(t)
    asks(person)
    person:is_asked()
    person:goes_there()
    person:reads_all()
    person:lua("vim.api.nvim_feedkeys('a', 'mx', false)")
    person:lua("vim.api.nvim_feedkeys('a', 'm', false)")
    person:lua("vim.cmd('normal a')")
    person:lua("vim.fn.setreg('q', 'a')")
    person:types('@q')
    settled(person)
    for _, command in ipairs({ 'approve', 'pending', 'approve now', 'pending a' }) do
      person:commands('Countersign ' .. command)
    end
    settled(person)
    expect.equal({}, answers(person))
    person:types('a')
    answered(person, 1)
  end)

  test('what is longer than the window is read to its end before a yes counts', function(t)
    local person = begin(t)
    asks(person, { text = LONG, parts = {} })
    person:is_asked('line-80')
    person:goes_there()
    person:reads('lines to read')
    -- The end alone is not all of it.
    person:types('G')
    person:reads('Denials')
    vim.wait(900)
    person:types('a')
    settled(person)
    expect.equal({}, answers(person))
    person:types('gg')
    for _ = 1, 4 do
      person:presses('Space')
    end
    person:reads_all()
    expect.equal({}, answers(person))
    person:types('a')
    answered(person, 1)
  end)

  test('Enter denies, and so does d; a message goes to the agent', function(t)
    local person = begin(t)
    for number, keys in ipairs({ 'Enter', 'd' }) do
      asks(person, { id = 'call-' .. number, nonce = 'nonce-' .. number })
      person:is_asked()
      person:goes_there()
      person:presses(keys)
      local answer = answered(person, number)[number]
      expect.equal({ id = 'call-' .. number, nonce = 'nonce-' .. number, choice = 'deny' }, answer)
      person:is_not_asked()
    end
    asks(person, { id = 'call-3' })
    person:is_asked()
    person:goes_there()
    person:types('m')
    person:reads('Deny, and tell the agent')
    person:types('open a pull request')
    person:presses('Enter')
    local answer = answered(person, 3)[3]
    expect.equal({ 'deny', 'open a pull request' }, { answer.choice, answer.message })
  end)

  test('putting a window aside answers nothing, and :Countersign brings it back', function(t)
    local person = begin(t)
    for _, key in ipairs({ 'q', 'Escape', ':quit' }) do
      asks(person)
      person:lua("require('countersign.panel').show(nil, false)")
      person:is_asked()
      person:goes_there()
      if vim.startswith(key, ':') then
        person:commands(key:sub(2))
      else
        person:presses(key)
      end
      person:is_not_asked()
      expect.equal('notes.txt', person:lua("return vim.fn.expand('%:t')"))
    end
    asks(person)
    settled(person)
    person:is_not_asked()
    expect.equal({}, answers(person))
    person:goes_there()
    person:is_asked('cargo test')
  end)

  test('what another surface answered first is closed, and the next one is not armed', function(t)
    local person = begin(t)
    asks(person, { id = 'one', nonce = 'n1', text = 'echo one' })
    asks(person, { id = 'two', nonce = 'n2', text = 'echo two' })
    person:is_asked('echo one')
    person:reads('(1 of 2)')
    person:goes_there()
    person:reads_all()
    resolved(person, 'one')
    person:types('a')
    person:is_asked('echo two')
    settled(person)
    expect.equal({}, answers(person))
    resolved(person, 'two')
    person:is_not_asked()
    expect.equal('notes.txt', person:lua("return vim.fn.expand('%:t')"))
  end)

  test('several wait: Tab goes from one to the next, a picker only opens', function(t)
    local person = begin(t, {
      lua = [[
        vim.ui.select = function(items, options, choose)
          _G.selected = { prompt = options.prompt, lines = vim.tbl_map(options.format_item, items) }
          choose(items[2], 2)
        end
      ]],
    })
    for number = 1, 3 do
      asks(person, { id = 'call-' .. number, nonce = 'n' .. number, text = 'echo ' .. number })
    end
    person:is_asked('echo 1')
    person:goes_there()
    person:presses('Tab')
    person:is_asked('echo 2')
    person:presses('BTab', 'BTab')
    person:is_asked('echo 3')
    person:reads_all()
    person:types('q')
    person:is_not_asked()
    -- Whatever took the place of vim.ui.select chooses the second by itself.
    person:commands('Countersign approve')
    person:is_asked('echo 2')
    settled(person)
    expect.equal(
      { 'claude-code: echo 1', 'claude-code: echo 2', 'claude-code: echo 3' },
      person:lua('return selected.lines')
    )
    expect.equal({}, answers(person))
  end)

  test('an answer that was too fast, of another call, or of a changed one', function(t)
    local person = begin(t)
    local function refused(code, message)
      person:lua(
        "stub.replies['countersign/resolveApproval'] = { failure = { code = ..., message = select(2, ...) } }",
        code,
        message
      )
    end
    asks(person)
    person:is_asked()
    person:goes_there()
    refused(-31002, 'too soon')
    person:reads_all()
    person:types('a')
    person:is_told('too fast')
    person:is_asked()
    refused(-31003, 'changed')
    person:reads_all()
    person:types('a')
    person:is_told('has changed')
    person:is_not_asked()
    asks(person, { id = 'another', nonce = 'other' })
    person:is_asked()
    person:goes_there()
    refused(-31001, 'gone')
    person:types('d')
    person:is_told('answered or ended already')
    person:is_not_asked()
    -- Nothing was answered again by itself.
    expect.equal(3, #answers(person))
  end)

  test('rules are remembered one by one, in the scope that is chosen', function(t)
    local person = begin(t)
    asks(person, { suggestions = { 'Bash(cargo test *)', 'Bash(git push)', 'Bash(true)' } })
    person:is_asked()
    person:goes_there()
    person:types('r')
    person:is_asked('│ Bash(cargo test *)')
    person:reads('Rule 1 of 3')
    -- A key that is still down from before does nothing.
    person:types('a')
    settled(person)
    person:is_asked('│ Bash(cargo test *)')
    person:types('p')
    person:reads('● p for this workspace')
    person:reads_all()
    person:types('a')
    person:is_asked('│ Bash(git push)')
    person:types('n')
    person:is_asked('│ Bash(true)')
    expect.equal({}, answers(person))
    person:reads_all()
    person:types('a')
    local answer = answered(person, 1)[1]
    expect.equal({ 'remember', { 'Bash(cargo test *)', 'Bash(true)' }, 'project' }, {
      answer.choice,
      answer.rules,
      answer.scope,
    })
  end)

  test('in a loose mode an approval may end it', function(t)
    local person = begin(t)
    asks(person, { mode = 'auto', capKind = 'consecutive', reason = 'consecutive_block' })
    person:is_asked()
    person:goes_there()
    person:reads_all()
    person:types('s')
    expect.equal('approve_and_switch_to_default', answered(person, 1)[1].choice)
  end)

  test('a message that is not understood is no window', function(t)
    local person = begin(t)
    says(person, 'countersign/approvalRequested', { id = 'x', text = 'echo' })
    person:is_told('cannot be read')
    person:is_not_asked()
    says(person, 'countersign/status', { health = 'fine' })
    says(person, 'countersign/approvalResolved', vim.empty_dict())
    resolved(person, 'never-asked')
    asks(person)
    person:is_asked()
  end)

  test('nothing opens by itself where the person wants a notice', function(t)
    local person = begin(
      t,
      { lua = "vim.g.x = require('countersign').setup({ cmd = stub.start, prompt = 'notify' })" }
    )
    asks(person, { text = 'echo \27[31mred' })
    person:is_told('echo \\x1b[31mred (:Countersign pending)')
    person:is_not_asked()
    person:goes_there()
    person:is_asked('echo \\x1b[31mred')
  end)

  test(
    'a command of the server brings a window to the front, but not under typing hands',
    function(t)
      local person = begin(t)
      asks(person, { id = 'one', text = 'echo one' })
      asks(person, { id = 'two', nonce = 'two', text = 'echo two', focus = true })
      person:is_asked('echo two')
      person:sees('the focus in the window', "return vim.bo.filetype == 'countersign'")
      person:types('q')
      person:is_not_asked()
      person:types('i')
      person:sees('insert mode', "return vim.api.nvim_get_mode().mode == 'i'")
      asks(person, { id = 'two', nonce = 'two', text = 'echo two', focus = true })
      person:is_asked('echo two')
      person:types('typed ')
      person:presses('Escape')
      person:sees('what was typed', "return vim.fn.getline(1) == 'typed first'")
    end
  )

  test('the window goes along to another tab page and another size', function(t)
    local person = begin(t)
    asks(person)
    person:is_asked()
    person:commands('tabnew')
    person:sees('a new tab page', "return vim.fn.tabpagenr('$') == 2")
    person:is_asked('cargo test')
    person:reads('cargo test -p api')
    expect.equal('', person:lua('return vim.bo.filetype'))
    person:goes_there()
    person:lua('vim.o.columns = 50')
    person:is_asked('cargo test')
    person:reads_all()
    person:types('a')
    answered(person, 1)
  end)

  test('on a screen that is too small for the window nobody approves', function(t)
    local person = begin(t, { size = { 13, 12 } })
    asks(person, { text = 'echo one', parts = {} })
    person:is_asked('echo one')
    person:lua("require('countersign.panel').show(nil, true)")
    person:sees('the focus in the window', "return vim.bo.filetype == 'countersign'")
    for _ = 1, 30 do
      person:presses('Space')
    end
    settled(person)
    vim.wait(800)
    person:types('a')
    settled(person)
    expect.equal({}, answers(person))
    -- A no is always possible.
    person:types('d')
    expect.equal('deny', answered(person, 1)[1].choice)
  end)

  test('a mapping opens the window from insert mode, and answers nothing', function(t)
    local person = begin(t, {
      lua = "vim.keymap.set({ 'n', 'i' }, '<F2>', '<Cmd>Countersign pending<CR>')",
    })
    asks(person)
    person:is_asked()
    person:types('iabc')
    person:presses('F2')
    person:sees(
      'normal mode in the window',
      [[
      return vim.bo.filetype == 'countersign' and vim.api.nvim_get_mode().mode == 'n'
    ]]
    )
    person:reads_all()
    person:types('e')
    -- The stub does not explain; the focus stays where it is.
    person:is_told('answered countersign/explain wrongly')
    person:types('a')
    answered(person, 1)
    expect.equal('abcfirst', person:lua('return vim.fn.getline(1)'))
  end)

  test('without a screen nothing is started, and what comes is not decided', function(t)
    vim.fn.writefile({ 'first' }, t.workspace .. '/notes.txt')
    local code = ([[
      vim.opt.runtimepath:prepend(%q)
      package.path = %q .. package.path
      vim.cmd('runtime plugin/countersign.lua')
      stub = require('stub')
      require('countersign').setup({ cmd = stub.start })
      vim.cmd.edit(%q)
      vim.wait(200)
      assert(#vim.lsp.get_clients() == 0, 'a client')
      -- Even where somebody else started one.
      local server = require('countersign.server')
      vim.lsp.start(server.configuration(%q))
      assert(vim.wait(5000, function() return #stub.asked('countersign/pendingApprovals') > 0 end))
      stub.says('countersign/approvalRequested', require('examples').approval())
      stub.asks('window/showMessageRequest', { type = 2, message = 'Grant?', actions = { { title = 'Yes' } } })
      vim.wait(300)
      assert(#vim.api.nvim_list_wins() == 1, 'a window')
      assert(#stub.asked('countersign/resolveApproval') == 0, 'an answer')
      assert(stub.answers[1] == vim.NIL, 'an answer to the server')
      io.stdout:write('nothing was decided')
    ]]):format(
      t.root .. '/editors/neovim',
      t.root .. '/tests/e2e/neovim/plugin/?.lua;',
      t.workspace .. '/notes.txt',
      t.workspace
    )
    local file = vim.fs.dirname(t.workspace) .. '/headless.lua'
    vim.fn.writefile(vim.split(code, '\n'), file)
    local result = vim
      .system({ vim.v.progpath, '--headless', '--clean', '-n', '-l', file }, { text = true })
      :wait(20000)
    expect.equal({ 0, 'nothing was decided' }, { result.code, result.stdout })
  end)

  test('whoever leaves the last screen leaves asking to others, and takes it up again', function(t)
    vim.fn.writefile({ 'first' }, t.workspace .. '/notes.txt')
    local folder = vim.fs.dirname(t.workspace)
    local socket = folder .. '/headless'
    local file = folder .. '/headless.lua'
    vim.fn.writefile({
      ('vim.opt.runtimepath:prepend(%q)'):format(t.root .. '/editors/neovim'),
      ('package.path = %q .. package.path'):format(t.root .. '/tests/e2e/neovim/plugin/?.lua;'),
      "stub = require('stub')",
      "require('countersign').setup({ cmd = stub.start })",
    }, file)
    local job = vim.fn.jobstart({
      vim.v.progpath,
      '--headless',
      '--clean',
      '-n',
      '--listen',
      socket,
      '-u',
      file,
      t.workspace .. '/notes.txt',
    })
    local channel = expect.eventually('an editor that listens', function()
      local connected, found = pcall(vim.fn.sockconnect, 'pipe', socket, { rpc = true })
      return connected and found > 0 and found
    end)
    local function has_client(wanted)
      expect.eventually('a client: ' .. tostring(wanted), function()
        local code = "return #vim.lsp.get_clients({ name = 'countersign' })"
        return (vim.rpcrequest(channel, 'nvim_exec_lua', code, {}) > 0) == wanted
      end)
    end
    has_client(false)
    for _ = 1, 2 do
      local screen = vim.fn.jobstart(
        { vim.v.progpath, '--server', socket, '--remote-ui' },
        { pty = true, width = 80, height = 20, env = { TERM = 'xterm' } }
      )
      has_client(true)
      vim.fn.jobstop(screen)
      has_client(false)
    end
    vim.fn.chanclose(channel)
    vim.fn.jobstop(job)
  end)

  test('one server for a workspace, however many files and windows', function(t)
    local person = begin(t)
    vim.fn.mkdir(t.workspace .. '/src')
    for number = 1, 3 do
      person:commands(('edit src/%d.txt'):format(number))
    end
    person:sees(
      'a file that is attached',
      [[
      return vim.fn.expand('%:t') == '3.txt'
        and #vim.lsp.get_clients({ bufnr = 0, name = 'countersign' }) == 1
    ]]
    )
    expect.equal(1, person:lua("return #stub.asked('initialize')"))
  end)

  test("the server's own questions are windows of the plugin", function(t)
    local person =
      begin(t, { lua = 'vim.ui.select = function(items, _, choose) choose(items[2], 2) end' })
    local question = {
      type = 2,
      message = 'Countersign: allow this exact call once?',
      actions = { { title = 'No' }, { title = 'Allow this exact call once' } },
    }
    person:lua("stub.asks('window/showMessageRequest', ...)", question)
    person:is_asked('allow this exact call once?')
    person:reads_all()
    person:types('y')
    person:sees('an answer', 'return #stub.answers == 1')
    expect.equal({ title = 'Allow this exact call once' }, person:lua('return stub.answers[1]'))
    person:lua("stub.asks('window/showMessageRequest', ...)", question)
    person:is_asked('allow this exact call once?')
    person:presses('Enter')
    person:sees('an answer', 'return #stub.answers == 2')
    expect.equal({ title = 'No' }, person:lua('return stub.answers[2]'))
  end)

  test('a call that a model denied is allowed once in a window that shows all of it', function(t)
    local person = begin(t)
    local function acts()
      person:lua([[
        local client = vim.lsp.get_clients({ name = 'countersign' })[1]
        client.config.commands['countersign.server.grant'](
          { arguments = { 'denied-call' } },
          { client_id = client.id }
        )
      ]])
    end
    person:lua([[
      stub.replies['countersign/call'] = { text = 'git push --force', grantable = false, changes = {} }
    ]])
    acts()
    person:is_told('only a call that the model denied')
    person:lua("stub.replies['countersign/call'].grantable = true")
    acts()
    person:is_asked('│ git push --force')
    expect.equal({}, person:lua("return stub.asked('countersign/grant')"))
    person:reads_all()
    person:types('y')
    person:sees('a grant', "return #stub.asked('countersign/grant') == 1")
    expect.equal({ id = 'denied-call' }, person:lua("return stub.asked('countersign/grant')[1]"))
    -- An older server asks by itself.
    person:lua("stub.replies['countersign/call'] = { failure = { code = -32601, message = 'no' } }")
    acts()
    person:sees('a command', "return #stub.asked('workspace/executeCommand') == 1")
  end)

  test('what is checked out is trusted by the commit that was shown', function(t)
    local person = begin(t)
    local workspace = examples.workspace({ folder = t.workspace })
    says(person, 'countersign/status', examples.status({ workspaces = { workspace } }))
    person:sees('a status', "return require('countersign').status():find('default') ~= nil")
    -- A server that does not tell the commit asks by itself.
    person:commands('Countersign baseline')
    person:sees('a command', "return #stub.asked('workspace/executeCommand') == 1")
    workspace.baseline = { commit = 'aaaa', head = 'bbbb', since = 1, by = 'HEAD was that' }
    says(person, 'countersign/status', examples.status({ workspaces = { workspace } }))
    person:commands('Countersign baseline')
    person:is_asked('│ bbbb')
    person:is_asked('Trusted now: aaaa')
    expect.equal({}, person:lua("return stub.asked('countersign/setBaseline')"))
    person:reads_all()
    person:types('y')
    person:sees('a baseline', "return #stub.asked('countersign/setBaseline') == 1")
    expect.equal(
      { folder = t.workspace, commit = 'bbbb', workTree = false },
      person:lua("return stub.asked('countersign/setBaseline')[1]")
    )
  end)

  test('an edit of several files, as the server reads them', function(t)
    local person = begin(t, {
      lua = [[
        vim.ui.select = function(items, options, choose)
          _G.paths = vim.tbl_map(options.format_item, items)
          choose(items[2], 2)
        end
      ]],
    })
    person:lua([[
      stub.replies['countersign/call'] = {
        text = '',
        grantable = false,
        changes = {
          { path = '/w/one.lua', kind = 'write', before = 'a\n', after = 'b\n' },
          { path = '/w/two.lua', kind = 'delete', before = 'c\nd\n' },
        },
      }
    ]])
    asks(person, { tool = 'edit', text = 'edit /w/one.lua' })
    person:is_asked('edit /w/one.lua')
    person:goes_there()
    person:types('v')
    person:sees('a diff', 'return vim.wo.diff')
    expect.equal({ '/w/one.lua', '/w/two.lua' }, person:lua('return paths'))
    expect.equal(
      { 'c', 'd' },
      person:lua([[
      return vim.fn.getbufline(vim.fn.bufnr('countersign:/before/5f434570/two.lua'), 1, '$')
    ]])
    )
    expect.equal({ '' }, person:lua("return vim.fn.getline(1, '$')"))
    -- The window came along, and stays when the diff is closed.
    person:is_asked('edit /w/one.lua')
    person:types('q')
    person:sees('one tab page', "return vim.fn.tabpagenr('$') == 1")
    person:is_asked('edit /w/one.lua')
    expect.equal({}, answers(person))
  end)

  test('a looser mode is asked about, with the notice of auto and each time yolo', function(t)
    local person = begin(t)
    says(person, 'countersign/status', examples.status({ mode = 'default' }))
    person:sees('a status', "return require('countersign').status():find('default') ~= nil")
    local function modes()
      return person:lua("return stub.asked('countersign/setMode')")
    end
    person:commands('Countersign mode plan')
    person:sees('a mode', "return #stub.asked('countersign/setMode') == 1")
    expect.equal({ { mode = 'plan' } }, modes())

    person:lua(
      "stub.replies['countersign/setMode'] = { result = 'needsNotice', text = 'In auto mode …', setAside = { 'Bash(*) (user)' } }"
    )
    person:commands('Countersign mode auto')
    person:is_asked('Switch all sessions of this server to auto mode?')
    person:reads_all()
    person:types('y')
    person:is_asked('│ Bash(*) (user)')
    expect.equal({ mode = 'auto' }, modes()[2])
    person:lua("stub.replies['countersign/setMode'] = { result = 'done' }")
    person:reads_all()
    person:types('y')
    person:sees('a mode', "return #stub.asked('countersign/setMode') == 3")
    expect.equal({ mode = 'auto', acknowledged = true }, modes()[3])

    person:lua(
      "stub.replies['countersign/setMode'] = { result = 'needsConfirmation', text = 'yolo runs everything' }"
    )
    person:commands('Countersign mode yolo')
    person:is_asked('yolo runs everything')
    person:presses('Enter')
    person:is_not_asked()
    expect.equal({ mode = 'yolo' }, modes()[4])
    expect.equal(4, #modes())
  end)

  test('trust and consent are asked once, whole, and by the digest that was shown', function(t)
    local person = begin(t)
    local untrusted = examples.workspace({ folder = t.workspace, trusted = false })
    local session = examples.session({ workspace = t.workspace })
    says(person, 'countersign/status', examples.status({ workspaces = { untrusted } }))
    says(
      person,
      'countersign/status',
      examples.status({ workspaces = { untrusted }, sessions = { session } })
    )
    person:is_asked('Trust this workspace?')
    person:is_asked('│ ' .. t.workspace)
    expect.equal('notes.txt', person:lua("return vim.fn.expand('%:t')"))
    person:goes_there()
    person:reads_all()
    person:types('y')
    person:sees('trust', "return #stub.asked('countersign/trust') == 1")
    expect.equal(
      { folder = t.workspace, trusted = true },
      person:lua("return stub.asked('countersign/trust')[1]")
    )

    local waits = examples.workspace({
      folder = t.workspace,
      pending = { { key = 'permissions.allow', text = 'Bash(make *)', place = 'settings.json:4' } },
      withdrawn = { { key = 'permissions.allow', text = 'Bash(npm test)' } },
      consentDigest = 'first',
    })
    says(person, 'countersign/status', examples.status({ workspaces = { waits } }))
    person:is_asked('│ + permissions.allow: Bash(make *)  (settings.json:4)')
    person:is_asked('│ - permissions.allow: Bash(npm test)')
    -- The settings change meanwhile: the question about the old ones goes.
    waits.consentDigest = 'second'
    waits.pending[1].text = 'Bash(*)'
    says(person, 'countersign/status', examples.status({ workspaces = { waits } }))
    person:is_asked('Bash(*)')
    person:goes_there()
    person:reads_all()
    person:types('y')
    person:sees('consent', "return #stub.asked('countersign/consent') == 1")
    expect.equal(
      { folder = t.workspace, digest = 'second', what = 'loosening' },
      person:lua("return stub.asked('countersign/consent')[1]")
    )
    -- It is not asked again by itself, but when the person wants to.
    says(person, 'countersign/status', examples.status({ workspaces = { waits } }))
    settled(person)
    person:is_not_asked()
    person:commands('Countersign settings')
    person:is_asked('Bash(*)')
  end)
end
