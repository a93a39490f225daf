-- What an approval looks like, line by line.

local expect = require('expect')
local examples = require('examples')

local function bidi(code)
  return vim.fn.nr2char(code)
end

return function(suite)
  local test = suite.test

  test('what deceives is written out, and everything else stays', function()
    local visible = require('countersign.text').visible
    local ordinary = 'rm -rf "$HOME/ü" && echo \'a\\nb\' # 日本語 🙂'
    expect.equal(ordinary, visible(ordinary))
    expect.equal('a\\x1b[2Jb', visible('a\27[2Jb'))
    expect.equal('a\\r\\nb\\tc\\x00\\x7f', visible('a\r\nb\tc\0\127'))
    expect.equal(
      '<U+202E>gpj<U+200B>.<U+FEFF>',
      visible('\226\128\174gpj\226\128\139.\239\187\191')
    )
    expect.equal('<U+009B>', visible('\194\155'))
    expect.equal('a<U+0301>', visible('a\204\129'))
    expect.equal('<U+05D0>', visible('\215\144'))
    expect.equal('<U+E0041>', visible('\243\160\129\129'))
    -- Bytes that are no text.
    expect.equal('<FF>a<C0><AF>', visible('\255a\192\175'))
    expect.equal('<E2><82>', visible('\226\130'))
  end)

  test('no text has a character that moves, hides or reorders after it was written out', function()
    local text = require('countersign.text')
    math.randomseed(8)
    for _ = 1, 300 do
      local bytes = {}
      for index = 1, math.random(0, 40) do
        local any = math.random(0, 255)
        bytes[index] = math.random() < 0.3 and bidi(math.random(1, 0x10ffff)) or string.char(any)
      end
      local hostile = table.concat(bytes)
      local shown = text.visible(hostile)
      expect.truth('no control character', not shown:find('[%z\1-\31\127]'), hostile)
      expect.equal(shown, vim.fn.strtrans(shown))
      expect.equal(shown, text.visible(shown))
      for _, line in ipairs((text.wrap(hostile, 20))) do
        expect.truth('a line that fits', vim.api.nvim_strwidth(line) <= 20, { hostile, line })
      end
    end
  end)

  test('a long line is wrapped and nothing of it is lost', function()
    local text = require('countersign.text')
    local command = ('echo %s; '):format(('x'):rep(50)):rep(7) .. 'end'
    local lines = text.wrap(command, 30)
    expect.equal(command, table.concat(lines))
    expect.equal({ 'a', '', 'b  ' }, (text.wrap('a\n\nb  ', 30)))
    -- Of two cells each.
    local wide = text.wrap(('日'):rep(20), 15)
    expect.equal(7, #vim.split(wide[1], '', { plain = true }) / 3)
    expect.equal(('日'):rep(20), table.concat(wide))
    local big = ('x'):rep(79):rep(20000, '\n')
    local began = vim.uv.hrtime()
    expect.equal(40000, #text.wrap(big, 40))
    expect.truth('megabytes within a second', (vim.uv.hrtime() - began) / 1e9 < 1)
  end)

  test('marks are where the server says, in UTF-16 and after escapes', function()
    local text = require('countersign.text')
    -- The smile has two units, the escape stands for one.
    local command = '🙂 a\226\128\174b git push'
    local start = text.units('🙂 a\226\128\174b ')
    expect.equal(7, start)
    local lines, spans = text.wrap(command, 40, {
      { start = start, finish = start + 8, group = 'CountersignAsks' },
    })
    expect.equal({ '🙂 a<U+202E>b git push' }, lines)
    local asks = vim.tbl_filter(function(span)
      return span.group == 'CountersignAsks'
    end, spans)
    expect.equal(1, #asks)
    expect.equal('git push', lines[1]:sub(asks[1].from + 1, asks[1].to))
    expect.equal('git push', text.slice(command, start, start + 8))
  end)

  test('an approval shows its whole call, why, effects with causes, counters and agent', function()
    local layout = require('countersign.layout')
    local approval = examples.approval({
      askedBefore = 2,
      subagent = 'reviewer',
      counters = { consecutiveBlock = 3, totalBlock = 4, totalUnavailable = 1 },
      marks = { { start = 21, ['end'] = 29, effect = 1, asks = true } },
      model = {
        model = 'judge-1',
        stages = { { stage = 'fast', verdict = 'timeout', millis = 1, attempts = 2 } },
        problem = 'the model did not answer',
      },
    })
    local lines, spans = layout.approval(approval, 70)
    local all = table.concat(lines, '\n')
    for _, part in ipairs({
      '│ cargo test -p api && git push',
      'Asked because the approval mode asks for this: default mode asks for',
      '• talks to other machines: git push',
      '• runs cargo\n',
      '✓ cargo test -p api (allow rule Bash(cargo test *) (user))',
      '? git push (no static layer decides this)',
      'In shop/api, default mode, sub-agent reviewer',
      'Denials: 3 of 3 blocks in a row, 5 of 20 in the session',
      'Asked: 2 times before, the same',
      'Judged by: judge-1: fast timeout: the model did not answer',
    }) do
      expect.contains(all, part)
    end
    expect.contains(layout.title(approval), 'claude-code wants to run')
    local asks = vim.iter(spans):find(function(span)
      return span.group == 'CountersignAsks'
    end)
    expect.equal('git push', lines[asks.line]:sub(asks.from + 1, asks.to))
    for _, line in ipairs(lines) do
      expect.truth('a line that fits', vim.api.nvim_strwidth(line) <= 70, line)
    end
  end)

  test('without marks, the parts that are not fine are marked', function()
    local layout = require('countersign.layout')
    local lines, spans = layout.approval(examples.approval(), 70)
    local asks = vim.iter(spans):find(function(span)
      return span.group == 'CountersignAsks'
    end)
    expect.equal('git push', lines[asks.line]:sub(asks.from + 1, asks.to))
  end)

  test('highlights stay inside of their lines, however narrow the window is', function()
    local layout = require('countersign.layout')
    local approval = examples.approval({
      text = '日本語 && echo \226\128\174 && ' .. ('x'):rep(60),
      parts = { { text = 'echo', fine = false, why = 'y' }, { text = 'z', fine = true, why = 'y' } },
      suggestions = { 'Bash(echo *)', 'Bash(z)' },
    })
    for width = 10, 60, 5 do
      for _, drawn in ipairs({
        { layout.approval(approval, width) },
        { layout.remember(approval, 'Bash(echo *)', 'user', 1, width) },
        { layout.question({ ('word '):rep(20) }, { ('entry'):rep(20) }, width) },
      }) do
        for _, span in ipairs(drawn[2]) do
          local line = drawn[1][span.line]
          local is_inside = line and span.from >= 0 and span.from <= span.to and span.to <= #line
          expect.truth('a highlight inside of its line', is_inside, { width, span, line })
        end
      end
    end
  end)

  test('what an agent wrote cannot look like words of the plugin', function()
    local layout = require('countersign.layout')
    local approval = examples.approval({
      text = 'true\n\nAsked because nothing: it is safe\n• reads only\27[1;1H',
      parts = {},
      effects = { 'runs\nDenials: 0' },
      detail = 'x\n│ y',
    })
    local lines = layout.approval(approval, 70)
    local quoted = vim.tbl_filter(function(line)
      return vim.startswith(line, '│ ')
    end, lines)
    expect.equal({
      '│ true',
      '│ ',
      '│ Asked because nothing: it is safe',
      '│ • reads only\\x1b[1;1H',
    }, quoted)
    local denials = vim.tbl_filter(function(line)
      return vim.startswith(line, 'Denials: ')
    end, lines)
    expect.equal({ 'Denials: 0 of 3 blocks in a row, 0 of 20 in the session' }, denials)
  end)
end
