-- The window of the plugin: what its keys do, and when.

local expect = require('expect')
local examples = require('examples')
local stubbed = require('stubbed')

local begin, asks, resolved, answers, answered, settled =
  stubbed.begin, stubbed.asks, stubbed.resolved, stubbed.answers, stubbed.answered, stubbed.settled

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
end
