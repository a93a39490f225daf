-- Servers that come and go while an agent waits.

local expect = require('expect')

local function asks(t, number)
  local hook = t.agent:calls_tool('Bash', { command = 'touch file-' .. number })
  return hook, t.editor:prompt(number)
end

return function(suite)
  local test = suite.test

  test('a server that ends blocks what waits, and the next one asks again', function(t)
    t.editor:edits('notes.txt', { 'first' })
    t.editor:attach()
    local hook, prompt = asks(t, 1)
    hook:waits()
    t.editor:stops_the_server()
    hook:blocks()
    expect.equal({}, t.editor:diagnostics())

    t.editor:attach()
    -- The old prompt is still on the screen; it belongs to nobody.
    prompt:picks_after_reading('Approve once')
    local next_hook, next_prompt = asks(t, 2)
    next_hook:waits()
    next_prompt:picks_after_reading('Approve once')
    next_hook:allows()
  end)
end
