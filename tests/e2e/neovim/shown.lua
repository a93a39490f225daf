-- What is too long for a prompt is shown as a document before it is approved,
-- and is shown as it is.

local expect = require('expect')

local function long(name)
  return 'touch ' .. (name .. '-that-is-long '):rep(15) .. 'the-end-of-' .. name
end

local function attached(t)
  t.editor:edits('notes.txt', { 'first' })
  t.editor:attach()
end

return function(suite)
  local test = suite.test

  test('a command that a prompt cannot show wholly is not approved there', function(t)
    attached(t)
    local hook = t.agent:calls_tool('Bash', { command = long('a-name') })
    local prompt = t.editor:prompt(1)
    expect.equal({ 'Deny', 'Show' }, prompt.titles)
    hook:waits()
    prompt:picks('Deny')
    hook:blocks()
  end)

  test('a second command is shown as itself and not as the first', function(t)
    attached(t)
    for number, name in ipairs({ 'one', 'two' }) do
      local hook = t.agent:calls_tool('Bash', { command = long(name) })
      t.editor:prompt(2 * number - 1):picks('Show')
      local _, file = t.editor:is_shown(long(name))
      expect.equal('rw-------', vim.fn.getfperm(file))
      hook:waits()
      t.editor:prompt(2 * number):picks_after_reading('Approve once')
      hook:allows()
    end
  end)

  test('after reading, a no blocks', function(t)
    attached(t)
    local hook = t.agent:calls_tool('Bash', { command = long('a-name') })
    t.editor:prompt(1):picks('Show')
    t.editor:is_shown('the-end-of-a-name')
    t.editor:prompt(2):picks('Deny')
    hook:blocks()
  end)

  test('an agent does not say how its call is shown', function(t)
    -- On for everybody but root.
    vim.o.modeline = true
    t.agent.session = 'x vim: set foldmethod=marker foldlevel=0 :'
    attached(t)
    local hook = t.agent:calls_tool('Bash', { command = long('x') .. ' # {{{\nhidden\n# }}}' })
    t.editor:prompt(1):picks('Show')
    local window = t.editor:is_shown('hidden')
    expect.equal('manual', vim.wo[window].foldmethod)
    hook:waits()
  end)
end
