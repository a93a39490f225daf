-- What somebody can do who has Neovim, Countersign and no plugin: see what an
-- agent wants to do, and say yes or no to it.

local expect = require('expect')

local LINES = { 'first', 'second', 'third', 'fourth' }
local COMMAND = 'touch made-by-the-agent'

-- The agent wants to change the third line of a file that is open; the hook
-- waits, the file shows where, a prompt asks.
local function pending_edit(t)
  local path = t.editor:edits('notes.txt', LINES)
  t.editor:attach()
  local hook = t.agent:calls_tool('Edit', {
    file_path = path,
    old_string = 'third',
    new_string = '3rd',
  })
  return hook, t.editor:diagnostic('/notes%.txt$'), t.editor:prompt(1)
end

-- The agent wants to run a command while the workspace's settings are open.
local function pending_command(t, command)
  t.editor:edits('.countersign/settings.json')
  t.editor:attach()
  local hook = t.agent:calls_tool('Bash', { command = command or COMMAND })
  return hook, t.editor:diagnostic('/%.countersign/settings%.json$'), t.editor:prompt(1)
end

return function(suite)
  local test = suite.test

  test('an edit that waits is shown where it would change the file', function(t)
    local hook, diagnostic, prompt = pending_edit(t)
    expect.equal(3, diagnostic.line)
    expect.contains(diagnostic.message, '+3rd')
    expect.equal({ 'Deny', 'Show' }, prompt.titles)
    expect.contains(prompt.text, 'wants to edit `' .. t.workspace .. '/notes.txt`')
    hook:waits()
    prompt:picks('Deny')
    hook:blocks()
    t.editor:diagnostics_vanish()
  end)

  test('an edit is read first, then a yes lets it run', function(t)
    local hook, _, prompt = pending_edit(t)
    prompt:picks('Show')
    t.editor:is_shown('-third\n+3rd')
    local confirmation = t.editor:prompt(2)
    expect.equal('Deny', confirmation.titles[1])
    expect.contains(confirmation.text, 'as it was shown to you?')
    expect.contains(confirmation.text, 'notes.txt')
    hook:waits()
    confirmation:picks_after_reading('Approve once')
    hook:allows()
    t.editor:diagnostics_vanish()
  end)

  test('a yes to the prompt lets a command run', function(t)
    local hook, _, prompt = pending_command(t)
    expect.equal({ 'Deny', 'Approve once' }, { prompt.titles[1], prompt.titles[2] })
    expect.contains(prompt.text, 'wants to run `' .. COMMAND .. '`')
    prompt:picks_after_reading('Approve once')
    hook:allows()
    t.editor:diagnostics_vanish()
  end)

  test('a yes that is too fast for a person is asked again', function(t)
    local hook, _, prompt = pending_command(t)
    prompt:picks('Approve once')
    local again = t.editor:prompt(2)
    expect.equal(prompt.titles, again.titles)
    hook:waits()
    again:picks_after_reading('Approve once')
    hook:allows()
  end)

  test('a rule that is remembered spares the next question', function(t)
    local hook, _, prompt = pending_command(t)
    prompt:picks_after_reading('Approve and remember Bash(' .. COMMAND .. ') for this session')
    hook:allows()
    t.agent:calls_tool('Bash', { command = COMMAND }):allows()
    expect.equal(1, #t.editor.prompts)
  end)

  test('a prompt that is dismissed denies', function(t)
    local hook, _, prompt = pending_edit(t)
    prompt.pick(nil, nil)
    hook:blocks()
    t.editor:diagnostics_vanish()
  end)

  test('the code actions at the place decide, explain and show', function(t)
    local hook, diagnostic = pending_edit(t)
    local menu = t.editor:code_actions(diagnostic)
    expect.equal('Deny', menu.titles[1])
    for _, title in ipairs({ 'Approve once', 'Explain', 'Show proposed change' }) do
      expect.truth(('a code action `%s`'):format(title), menu:offers(title), menu:seen())
    end
    menu:picks('Show proposed change')
    t.editor:is_shown('\n-third\n+3rd\n fourth')
    hook:waits()
  end)

  test('the code action Explain shows why', function(t)
    local hook, diagnostic = pending_command(t)
    t.editor:code_actions(diagnostic):picks('Explain')
    t.editor:is_shown('default mode asks')
    t.editor:is_shown(COMMAND)
    hook:waits()
  end)

  test('the code action Deny denies at once, and a late yes changes nothing', function(t)
    local hook, diagnostic, prompt = pending_command(t)
    t.editor:code_actions(diagnostic):picks('Deny')
    hook:blocks()
    t.editor:diagnostics_vanish()
    expect.equal(1, #t.editor.prompts)

    -- The prompt is still on the screen: nobody can take it away.
    prompt:picks_after_reading('Approve once')
    local next_hook = t.agent:calls_tool('Bash', { command = 'touch another' })
    local next_prompt = t.editor:prompt(2)
    expect.contains(next_prompt.text, 'touch another')
    next_hook:waits()
    next_prompt:picks_after_reading('Approve once')
    next_hook:allows()
  end)

  test('the code action Approve once asks, and the answer approves', function(t)
    local hook, diagnostic = pending_command(t)
    t.editor:code_actions(diagnostic):picks('Approve once')
    local confirmation = t.editor:prompt(2)
    expect.contains(confirmation.text, COMMAND)
    hook:waits()
    confirmation:picks_after_reading('Approve once')
    hook:allows()
    t.editor:diagnostics_vanish()
  end)

  test('the code action Approve once does not spare reading an edit', function(t)
    local hook, diagnostic = pending_edit(t)
    t.editor:code_actions(diagnostic):picks('Approve once')
    local prompt = t.editor:prompt(2)
    expect.equal({ 'Deny', 'Show' }, prompt.titles)
    prompt:picks('Show')
    t.editor:is_shown('-third\n+3rd')
    hook:waits()
    t.editor:prompt(3):picks_after_reading('Approve once')
    hook:allows()
    t.editor:diagnostics_vanish()
  end)

  test('a command is shown in its session and in the settings file', function(t)
    local hook, diagnostic = pending_command(t)
    local in_session = t.editor:diagnostic('countersign:/+session/claude%-code/.')
    for _, one in ipairs({ diagnostic, in_session }) do
      expect.contains(one.message, COMMAND)
    end
    t.editor:code_actions(diagnostic):picks('Deny')
    hook:blocks()
    t.editor:diagnostics_vanish()
  end)

  test('the status goes to an editor that says it shows it', function(t)
    t.editor:edits('notes.txt', LINES)
    t.editor:attach({ experimental = { serverStatusNotification = true } })
    t.editor:status('a first status', function(status)
      return vim.list_contains({ 'ok', 'warning', 'error' }, status.health) and status.quiescent
    end)
    local hook = t.agent:calls_tool('Bash', { command = COMMAND })
    local prompt = t.editor:prompt(1)
    t.editor:status('a status with the call', function(status)
      return not status.quiescent and status.message:find('1 approval waits', 1, true)
    end)
    prompt:picks('Deny')
    hook:blocks()
  end)
end
