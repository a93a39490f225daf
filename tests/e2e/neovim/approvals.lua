-- What somebody can do who has Neovim, Countersign and no plugin.

local expect = require('expect')

local LINES = { 'first', 'second', 'third', 'fourth' }

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

return function(suite)
  local test = suite.test

  test('an edit that waits is shown where it would change the file', function(t)
    local hook, diagnostic, prompt = pending_edit(t)
    expect.equal(3, diagnostic.line)
    expect.equal('Deny', prompt.titles[1])
    expect.truth('a prompt that offers to approve', prompt:offers('Approve once'), prompt:seen())
    expect.contains(prompt.text, 'notes.txt')
    hook:waits()
    prompt:picks('Deny')
    hook:blocks()
    t.editor:diagnostics_vanish()
  end)

  test('a yes to the prompt lets the call run', function(t)
    local hook, _, prompt = pending_edit(t)
    prompt:picks_after_reading('Approve once')
    hook:allows()
    t.editor:diagnostics_vanish()
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
    for _, title in ipairs({ 'Deny', 'Approve once', 'Explain', 'Show proposed change' }) do
      expect.truth(('a code action `%s`'):format(title), menu:offers(title), menu:seen())
    end
    hook:waits()
  end)

  test('the code action Deny denies at once, and a late yes changes nothing', function(t)
    local hook, diagnostic, prompt = pending_edit(t)
    t.editor:code_actions(diagnostic):picks('Deny')
    hook:blocks()
    t.editor:diagnostics_vanish()
    expect.equal(1, #t.editor.prompts)

    -- The prompt is still on the screen: nobody can take it away.
    prompt:picks_after_reading('Approve once')
    local path = t.workspace .. '/other.txt'
    local next_hook = t.agent:calls_tool('Write', { file_path = path, content = 'more\n' })
    local next_prompt = t.editor:prompt(2)
    expect.contains(next_prompt.text, 'other.txt')
    next_hook:waits()
    next_prompt:picks_after_reading('Approve once')
    next_hook:allows()
  end)

  test('the code action Approve once asks, and the answer approves', function(t)
    local hook, diagnostic = pending_edit(t)
    t.editor:code_actions(diagnostic):picks('Approve once')
    local confirmation = t.editor:prompt(2)
    expect.contains(confirmation.text, 'notes.txt')
    hook:waits()
    confirmation:picks_after_reading('Approve once')
    hook:allows()
    t.editor:diagnostics_vanish()
  end)

  test('a command is shown in its session and in the settings file', function(t)
    t.editor:edits('notes.txt', LINES)
    t.editor:attach()
    local hook = t.agent:calls_tool('Bash', { command = 'touch made-by-the-agent' })
    t.editor:diagnostic('countersign:/+session/.')
    local diagnostic = t.editor:diagnostic('/%.countersign/settings%.json$')
    expect.contains(diagnostic.message, 'touch made-by-the-agent')

    t.editor:edits('.countersign/settings.json')
    t.editor:attach()
    t.editor:code_actions(diagnostic):picks('Deny')
    hook:blocks()
    t.editor:diagnostics_vanish()
  end)

  test('a command that a prompt cannot show wholly is not approved there', function(t)
    t.editor:edits('notes.txt', LINES)
    t.editor:attach()
    local long = 'touch ' .. ('a-name-that-is-long '):rep(15)
    local hook = t.agent:calls_tool('Bash', { command = long })
    local prompt = t.editor:prompt(1)
    expect.equal('Deny', prompt.titles[1])
    expect.truth('no way to approve', not prompt:offers('Approve'), prompt:seen())
    expect.truth('a way to see it', prompt:offers('Show'), prompt:seen())
    hook:waits()
    prompt:picks('Deny')
    hook:blocks()
  end)

  test('the status goes to an editor that says it shows it', function(t)
    t.editor:edits('notes.txt', LINES)
    t.editor:attach({ experimental = { serverStatusNotification = true } })
    t.editor:status('a first status', function(status)
      return vim.list_contains({ 'ok', 'warning', 'error' }, status.health)
    end)
    local before = #t.editor.statuses
    local hook = t.agent:calls_tool('Bash', { command = 'touch made-by-the-agent' })
    local prompt = t.editor:prompt(1)
    t.editor:status('another status with the call', function()
      return #t.editor.statuses > before
    end)
    prompt:picks('Deny')
    hook:blocks()
  end)
end
