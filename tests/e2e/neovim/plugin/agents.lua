-- What plugins that are agents get: an answer to each call, and nothing else.

local expect = require('expect')

local function begin(t)
  vim.fn.writefile({ 'first' }, t.workspace .. '/notes.txt')
  local person = t.person()
  person:has_a_server()
  return person
end

local ASK = [[
  _G.answers = _G.answers or {}
  local call = ...
  _G.cancel = require('countersign').request(call, function(answer)
    table.insert(_G.answers, answer)
  end)
]]

local function asks(person, command, changes)
  local call = { tool = 'run_shell_command', session = 's1', input = { command = command } }
  person:lua(ASK, vim.tbl_extend('force', call, changes or {}))
end

local function answer(person, number)
  person:sees('an answer', 'return #(_G.answers or {}) == ...', number)
  return person:lua('return _G.answers[...]', number)
end

-- The code of the documentation below a tag.
local function snippet(t, tag)
  local help = vim.fn.readblob(t.root .. '/editors/neovim/doc/countersign.txt')
  local code = help:match('%*' .. tag:gsub('-', '%%-') .. '%*.->lua\n(.-)\n<')
  return expect.truth('code at ' .. tag, code)
end

return function(suite)
  local test = suite.test

  test('the adapter for CodeCompanion runs what is allowed and rejects the rest', function(t)
    local person = begin(t)
    -- As much of it as the adapter touches.
    person:lua([[
      local orchestrator = { ran = {}, rejected = {} }
      package.loaded['codecompanion.interactions.chat.tools.orchestrator'] = orchestrator
      function orchestrator:execute(cmd, input)
        table.insert(orchestrator.ran, { cmd, input })
      end
      _G.chat = function(name, args)
        return setmetatable({
          tool = { name = name, args = args },
          tools = { bufnr = 1 },
          output = {
            rejected = function(_, opts)
              table.insert(orchestrator.rejected, opts.reason)
            end,
          },
          close = function() end,
          setup = function()
            _G.goes_on = true
          end,
        }, { __index = orchestrator })
      end
    ]])
    person:lua(snippet(t, 'countersign-codecompanion'))
    person:lua("chat('run_command', { cmd = 'ls' }):execute('cmd', 'input')")
    person:sees(
      'a tool that ran',
      [[
      local ran = package.loaded['codecompanion.interactions.chat.tools.orchestrator'].ran
      return #ran == 1 and ran[1][1] == 'cmd' and ran[1][2] == 'input'
    ]]
    )
    person:lua("chat('run_command', { cmd = 'touch x' }):execute('cmd', 'input')")
    person:is_asked('touch x')
    person:commands('Countersign deny Leave it.')
    person:sees(
      'a rejection',
      [[
      local all = package.loaded['codecompanion.interactions.chat.tools.orchestrator']
      return #all.ran == 1 and #all.rejected == 1 and all.rejected[1]:find('Leave it.', 1, true) ~= nil
        and _G.goes_on
    ]]
    )
  end)

  test('the adapter for avante runs what is allowed and reports the rest', function(t)
    local person = begin(t)
    person:lua([[
      _G.results = {}
      local function tool()
        return { func = function(input) return 'ran ' .. vim.inspect(input), nil end }
      end
      package.loaded['avante.llm_tools.bash'] = tool()
      package.loaded['avante.llm_tools.write_to_file'] = tool()
      package.loaded['avante.llm_tools.helpers'] = {
        get_abs_path = function(relative)
          return vim.fs.normalize(vim.fn.getcwd() .. '/' .. relative)
        end,
      }
    ]])
    person:lua(snippet(t, 'countersign-avante'))
    person:lua([[
      _G.use = function(name, input)
        require('avante.llm_tools.' .. name).func(input, {
          on_complete = function(result, problem)
            table.insert(_G.results, { result, problem })
          end,
        })
      end
      use('bash', { path = '.', command = 'ls' })
    ]])
    person:sees('a tool that ran', "return #results == 1 and results[1][1]:find('^ran') ~= nil")
    person:lua("use('write_to_file', { path = 'new.txt', the_content = 'text' })")
    person:is_asked('+text')
    person:commands('Countersign deny Leave it.')
    person:sees(
      'a denial',
      [[
      return #results == 2 and results[2][1] == false and results[2][2]:find('Leave it.', 1, true) ~= nil
    ]]
    )
  end)

  test('an agent in the editor is told what may run', function(t)
    local person = begin(t)
    asks(person, 'ls')
    local first = answer(person, 1)
    expect.equal({ 'allow', 's1' }, { first.decision, first.session })

    asks(person, 'touch x')
    person:is_asked('touch x')
    person:goes_there()
    person:reads_all()
    person:types('a')
    expect.equal('allow', answer(person, 2).decision)

    asks(person, 'touch y')
    person:is_asked('touch y')
    person:commands('Countersign deny Not that one.')
    local third = answer(person, 3)
    expect.equal({ 'block', 'person' }, { third.decision, third.reason })
    expect.contains(third.message, 'Not that one.')

    asks(person, 'touch z')
    person:is_asked('touch z')
    person:lua('cancel()')
    expect.equal('block', answer(person, 4).decision)
    person:is_not_asked('Asked because')
  end)

  test('a call that nobody understands, or that nobody can decide, is blocked', function(t)
    local person = begin(t)
    asks(person, 'ls', { agent = 'nobody' })
    expect.equal('block', answer(person, 1).decision)
    asks(person, 'touch x', { callId = 'same' })
    person:is_asked('touch x')
    asks(person, 'ls', { callId = 'same' })
    expect.equal('invalid_call', answer(person, 2).reason)
    -- The server is gone: no answer is a no.
    person:lua("require('countersign.server').stop_all()")
    local gone = answer(person, 3)
    expect.equal('block', gone.decision)
    person:sees('no server', "return #vim.lsp.get_clients({ name = 'countersign' }) == 0")
    asks(person, 'ls')
    expect.equal({ 'block', 'no_server' }, {
      answer(person, 4).decision,
      answer(person, 4).reason,
    })
    expect.equal(false, (pcall(person.lua, person, "require('countersign').request({}, print)")))
  end)

  test('sessions, messages and results are reported', function(t)
    local person = begin(t)
    person:lua([[
      local countersign = require('countersign')
      local session = { session = 'told' }
      countersign.session_began(session)
      countersign.message(session, 'Fix the test.')
      local call = { tool = 'run_shell_command', session = 'told', input = { command = 'ls' } }
      countersign.request(call, function(answer)
        _G.decision = answer.decision
        countersign.result(call)
        countersign.session_ended(session)
      end)
    ]])
    person:sees('an allow', "return _G.decision == 'allow'")
    person:sees(
      'a session that ended',
      [[
      local _, raw = require('countersign').status()
      return vim.iter(raw.status.sessions):any(function(session)
        return session.session == 'told' and session.ended
      end)
    ]]
    )
  end)
end
