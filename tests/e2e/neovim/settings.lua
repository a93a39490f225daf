-- Settings files are looked at while they are written, and what loosens is
-- asked about.

local expect = require('expect')

local SETTINGS = {
  '{',
  '  "permissions": {',
  '    "ask": ["Bash(touch *)"],',
  '    "deny": [',
  '      "Bash(rm *",',
  '      "Bsh"',
  '    ]',
  '  }',
  '}',
}

local WORKSPACE = '/%.countersign/settings%.json$'

return function(suite)
  local test = suite.test

  test('what is wrong with a rule is said at its line until it is mended', function(t)
    t.editor:edits('.countersign/settings.json', SETTINGS)
    t.editor:attach()
    local malformed = t.editor:diagnostic(WORKSPACE, 'it is mended')
    expect.equal({ 5, 'ERROR' }, { malformed.line, malformed.severity })
    local unknown = t.editor:diagnostic(WORKSPACE, 'exactly this name')
    expect.equal({ 6, 'WARN' }, { unknown.line, unknown.severity })

    vim.api.nvim_buf_set_lines(0, 4, 6, true, { '      "Bash(rm *)"' })
    vim.cmd('silent write')
    t.editor:diagnostics_vanish()
  end)

  test('a file that cannot be read is pointed at where it breaks', function(t)
    t.editor:edits('.countersign/settings.json', { '{', '  "permissions": {', '    "deny": [x]' })
    t.editor:attach()
    expect.equal(3, t.editor:diagnostic(WORKSPACE).line)
  end)

  test('a rule of the user that could allow nearly anything is marked', function(t)
    local file = t.home .. '/config/settings.json'
    vim.fn.mkdir(vim.fs.dirname(file), 'p')
    vim.fn.writefile({ '{ "permissions": { "allow": [', '  "Bash(python3 *)"', '] } }' }, file)
    t.editor:edits('notes.txt', { 'first' })
    t.editor:attach()
    local broad = t.editor:diagnostic('/config/settings%.json$', 'set aside while in auto mode')
    expect.equal({ 2, 'WARN' }, { broad.line, broad.severity })
  end)

  test('hovers and lenses say what rules do', function(t)
    t.editor:edits('.countersign/settings.json', SETTINGS)
    t.editor:attach()
    t.editor:diagnostic(WORKSPACE)
    expect.equal('not matched lately', t.editor:lenses()[3])
    local hook = t.agent:calls_tool('Bash', { command = 'touch made-by-the-agent' })
    local prompt = t.editor:prompt(1)
    expect.contains(prompt.text, 'Bash(touch *)')
    local shown = t.editor:hover('Bash(touch *)')
    expect.contains(shown, 'ask rule')
    expect.contains(shown, 'matched once')
    expect.contains(t.editor:hover('Bash(rm *'), 'Bash(rm *')
    prompt:picks('Deny')
    hook:blocks()
  end)

  test('auto mode is chosen in a trusted folder, after its notice', function(t)
    t.editor.decides_on_trust = true
    t.editor:edits('notes.txt', { 'first' })
    t.editor:attach({ experimental = { serverStatusNotification = true } })

    -- In a folder that nobody trusts it is refused, and trust is offered.
    t.editor:command('setMode', 'auto')
    t.editor:prompt(1):picks_after_reading('Use auto mode')
    local offer = expect.eventually('an offer of trust', function()
      return t.editor.offers[1], t.editor.notices
    end)
    expect.equal({ 'Not now', 'Trust this workspace' }, offer.titles)
    expect.contains(offer.text, t.workspace)
    offer:picks_after_reading('Trust this workspace')

    -- Who trusts a folder is told of auto mode; a no leaves it off.
    local told = t.editor:prompt(2)
    expect.contains(told.text, 'In auto mode calls are decided without asking')
    expect.equal('Cancel', told.titles[1])
    told:picks('Cancel')
    t.editor:status('a status that says default', function(status)
      return status.message:find('Countersign: default', 1, true)
    end)

    t.editor:command('setMode', 'auto')
    t.editor:prompt(3):picks_after_reading('Use auto mode')
    t.editor:status('a status that says auto', function(status)
      return status.message:find('Countersign: auto', 1, true)
    end)
    -- What restricts needs no yes.
    t.editor:command('setMode', 'plan')
    t.editor:status('a status that says plan', function(status)
      return status.message:find('Countersign: plan', 1, true)
    end)
    expect.equal(3, #t.editor.prompts)
  end)
end
