-- Where and when the window opens, and where it does not.

local expect = require('expect')
local stubbed = require('stubbed')

local begin, asks, answers, answered, settled =
  stubbed.begin, stubbed.asks, stubbed.answers, stubbed.answered, stubbed.settled

return function(suite)
  local test = suite.test

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
      assert(vim.wait(30000, function() return #stub.asked('countersign/pendingApprovals') > 0 end))
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
      :wait(60000)
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
end
