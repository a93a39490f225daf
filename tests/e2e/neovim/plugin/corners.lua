-- Corners of the protocol, and what a person decides beside calls.

local expect = require('expect')
local examples = require('examples')
local stubbed = require('stubbed')

local begin, says, asks, resolved, answers, settled =
  stubbed.begin, stubbed.says, stubbed.asks, stubbed.resolved, stubbed.answers, stubbed.settled

return function(suite)
  local test = suite.test

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
