-- What is pure: no editor session is needed.

local expect = require('expect')
local examples = require('examples')

local function read_json(path)
  -- As the language client does.
  return vim.json.decode(vim.fn.readblob(path), { luanil = { object = true } })
end

local function golden(t, pattern)
  local files = vim.fn.glob(t.root .. '/tests/protocol/' .. pattern, true, true)
  expect.truth('golden files at ' .. pattern, #files > 0)
  return files
end

return function(suite)
  local test = suite.test

  test('every message of the golden files is understood', function(t)
    local protocol = require('countersign.protocol')
    local seen = {}
    local function method_of(file)
      local name = vim.fs.basename(vim.fs.dirname(file))
      return (
        name
          :gsub('^countersign%-', 'countersign/')
          :gsub('^workspace%-', 'workspace/')
          :gsub('Content%-refresh', 'Content/refresh')
      )
    end
    for _, file in ipairs(golden(t, 'from-server/*/params*.json')) do
      local method = method_of(file)
      -- For clients that know rust-analyzer's extension.
      if method ~= 'experimental-serverStatus' then
        local value, problem = protocol.received(method, read_json(file))
        expect.equal({ file, nil }, { file, problem })
        expect.truth('a value of ' .. file, value)
        seen[method] = true
      end
    end
    for method in pairs(protocol.from_server) do
      expect.truth('a golden file of ' .. method, seen[method])
    end
    seen = {}
    for _, file in ipairs(golden(t, 'requests/*/result*.json')) do
      local method = method_of(file)
      local text = vim.trim(vim.fn.readblob(file))
      local value, problem =
        protocol.answered(method, text == 'null' and vim.NIL or read_json(file))
      expect.equal({ file, nil }, { file, problem })
      expect.truth('a value of ' .. file, value ~= nil)
      seen[method] = true
    end
    for method in pairs(protocol.results) do
      expect.truth('a golden file of ' .. method, seen[method])
    end
  end)

  test('every field of a golden message is kept', function(t)
    local protocol = require('countersign.protocol')
    local file = t.root .. '/tests/protocol/from-server/countersign-%s/params.json'
    for _, name in ipairs({ 'approvalRequested', 'approvalResolved', 'decision', 'status' }) do
      local whole = read_json(file:format(name))
      expect.equal(whole, (protocol.received('countersign/' .. name, whole)))
    end
  end)

  test('a message that lacks a field or has another type is refused', function()
    local protocol = require('countersign.protocol')
    local method = 'countersign/approvalRequested'
    local approval = examples.approval()
    expect.truth('the example itself', protocol.received(method, approval))
    for name in pairs(approval) do
      local without = examples.approval()
      without[name] = nil
      local is_optional = name == 'workspace'
      local value, problem = protocol.received(method, without)
      expect.equal({ name, is_optional }, { name, value ~= nil })
      expect.truth('a word about ' .. name, is_optional or problem:find(name, 1, true))
      local other = examples.approval()
      other[name] = function() end
      expect.truth('a refusal of ' .. name, not protocol.received(method, other))
    end
    for _, value in ipairs({ vim.NIL, 'text', 3, { 1, 2 } }) do
      expect.truth('a refusal', not protocol.received(method, value))
    end
    expect.truth('an unknown method', not protocol.received('countersign/other', {}))
    expect.truth(
      'a negative number',
      not protocol.received(method, examples.approval({ askedBefore = -1 }))
    )
    expect.truth(
      'half a time',
      not protocol.received(method, examples.approval({ askedBefore = 0.5 }))
    )
  end)

  test('a yes counts only after rest, after the whole was shown, and not while busy', function()
    local Arming = require('countersign.arming')
    local function run(arming, from, to)
      for now = from, to, 50 do
        arming:tick(now)
      end
      return arming:is_armed()
    end
    local short = Arming.new(3)
    short:restart(1000)
    expect.equal(false, run(short, 1000, 2000))
    short:sees(1, 2)
    expect.equal(1, short:unseen())
    short:sees(3, 3)
    expect.equal(true, run(short, 2050, 2050))

    local early = Arming.new(1)
    early:sees(1, 1)
    early:restart(1000)
    expect.equal(false, run(early, 1000, 1450))
    -- A key that came too early begins it anew.
    early:restart(1450)
    expect.equal(false, run(early, 1500, 1900))
    expect.equal(true, run(early, 1950, 1950))

    -- While the editor was busy, keys may have been waiting.
    local busy = Arming.new(1)
    busy:sees(1, 1)
    busy:restart(1000)
    busy:tick(1050)
    busy:tick(3000)
    expect.equal(false, busy:is_armed())
    expect.equal(false, run(busy, 3050, 3450))
    expect.equal(true, run(busy, 3500, 3500))

    busy:stop()
    expect.equal(false, run(busy, 3550, 9000))

    -- Jumping to the end shows the end.
    local long = Arming.new(100)
    long:sees(1, 10)
    long:sees(91, 100)
    expect.equal(80, long:unseen())
    long:sees(5, 95)
    expect.equal(0, long:unseen())
  end)

  test('the window keeps out of the way of the cursor and on the screen', function()
    local box = require('countersign.geometry').box
    local screen =
      { columns = 100, lines = 30, command_lines = 1, status_lines = 1, width = 88, wanted = 10 }
    local function at(changes)
      return box(vim.tbl_extend('force', screen, { focused = false }, changes))
    end
    expect.equal({ row = 16, column = 10, width = 88, height = 10, fits = true }, at({}))
    expect.equal(0, at({ cursor = { row = 20, column = 40 } }).row)
    expect.equal(16, at({ cursor = { row = 20, column = 3 } }).row)
    expect.equal(16, at({ cursor = { row = 3, column = 40 } }).row)
    -- Less than half of the screen until somebody goes there.
    expect.equal(12, at({ wanted = 500 }).height)
    expect.equal(26, at({ wanted = 500, focused = true }).height)
    for columns = 1, 120, 7 do
      for lines = 1, 60, 7 do
        local one = at({ columns = columns, lines = lines, wanted = 40, focused = true })
        expect.truth(
          'a size',
          one.width > 0 and one.height > 0 and one.row >= 0 and one.column >= 0,
          one
        )
        local fits = one.column + one.width + 2 <= columns and one.row + one.height + 2 <= lines - 2
        expect.equal({ columns, lines, fits }, { columns, lines, one.fits })
        expect.truth('room on a usual screen', fits or columns < 14 or lines < 5, one)
      end
    end
  end)

  test('a proposed change is put into the file, or not at all', function()
    local diff = require('countersign.diff')
    local text = 'edit /w/a b.txt\n first\n-third\n+3rd\nwrite /w/new.txt\n+one\n+edit /etc/passwd'
    local changes = diff.changes(text)
    expect.equal({
      { path = '/w/a b.txt', old = { 'first', 'third' }, new = { 'first', '3rd' } },
      { path = '/w/new.txt', old = {}, new = { 'one', 'edit /etc/passwd' } },
    }, changes)
    expect.equal(
      { 'x', 'first', '3rd', 'y' },
      diff.apply({ 'x', 'first', 'third', 'y' }, changes[1])
    )
    -- A part of a line, too.
    expect.equal(
      { 'the 3rd way' },
      diff.apply({ 'the third way' }, { old = { 'third' }, new = { '3rd' } })
    )
    -- Not there, or not clear where.
    expect.equal(nil, diff.apply({ 'x' }, changes[1]))
    expect.equal(nil, diff.apply({ 'a', 'a' }, { old = { 'a' }, new = { 'b' } }))
    expect.equal({ 'one', 'edit /etc/passwd' }, diff.apply({ 'x' }, changes[2]))
    expect.equal({}, diff.changes('cargo test\n-x\n+y'))
  end)

  test('a mode is looser than any that it takes the place of, or than nothing known', function()
    local loosens = require('countersign.questions').loosens
    local session = examples.session
    local status = examples.status({
      mode = 'auto',
      sessions = { session({ mode = 'auto' }), session({ session = 'b', mode = 'plan' }) },
    })
    expect.equal(true, loosens('default', status))
    expect.equal(false, loosens('plan', status))
    local first = { agent = 'claude-code', session = '6f1c2d3e' }
    expect.equal(false, loosens('default', status, first))
    expect.equal(true, loosens('yolo', status, first))
    expect.equal(true, loosens('default', status, { agent = 'claude-code', session = 'b' }))
    expect.equal(true, loosens('plan', status, { agent = 'qwen', session = 'unknown' }))
    expect.equal(true, loosens('plan', nil))
    expect.equal(true, loosens('plan', examples.status({ mode = 'another' })))
  end)

  test('options that are wrong are named and have their default', function()
    local config = require('countersign.config')
    expect.equal({}, config.problems(nil))
    expect.equal({}, config.problems({ prompt = 'notify', width = 60, settings = {} }))
    expect.equal({
      'the option `prompt` cannot be "always"',
      'the option `width` cannot be 12',
      'there is no option `colour`',
    }, config.problems({ prompt = 'always', width = 12, colour = true }))
    expect.equal({ 'the configuration is no table' }, config.problems(3))
    config.set({ prompt = 'always', width = 60 })
    expect.equal({ 'auto', 60 }, { config.get().prompt, config.get().width })
    config.set(nil)
    vim.g.countersign = { prompt = 'notify' }
    expect.equal('notify', config.get().prompt)
    vim.g.countersign = nil
    expect.equal('auto', config.get().prompt)
  end)

  test('the command completes its words', function()
    local complete = require('countersign.command').complete
    for _, name in ipairs({
      'pending',
      'approve',
      'deny',
      'mode',
      'session',
      'journal',
      'status',
      'explain',
      'install',
      'restart',
      'log',
    }) do
      expect.truth('`' .. name .. '`', vim.list_contains(complete('', 'Countersign '), name))
    end
    expect.equal({ 'restart' }, complete('re', 'Countersign re'))
    expect.equal({ 'auto-edit', 'auto' }, complete('au', 'Countersign mode au'))
    expect.equal({}, complete('', 'Countersign journal '))
    expect.equal({}, complete('x', 'Countersign nothing x'))
  end)

  test('every sub-command and option is in the documentation', function(t)
    local help = vim.fn.readblob(t.root .. '/editors/neovim/doc/countersign.txt')
    for _, name in ipairs(require('countersign.command').names()) do
      expect.contains(help, '*:Countersign-' .. name .. '*')
    end
    for _, name in ipairs({
      'cmd',
      'autostart',
      'prompt',
      'root_markers',
      'settings',
      'width',
      'border',
    }) do
      expect.contains(help, '*countersign-option-' .. name .. '*')
    end
    for group in pairs(require('countersign.highlights').LINKS) do
      expect.contains(help, '*hl-' .. group .. '*')
    end
    -- Its tags are unique and its links lead somewhere.
    local folder = t.workspace .. '/doc'
    vim.fn.mkdir(folder)
    vim.fn.writefile(vim.split(help, '\n'), folder .. '/countersign.txt')
    vim.cmd.helptags(folder)
    local tags = vim.fn.readblob(folder .. '/tags')
    for link in help:gmatch('|(countersign[%w-]+)|') do
      expect.contains('\n' .. tags, '\n' .. link .. '\t')
    end
  end)

  test('nothing that a plugin may call gives it the server or an approval', function()
    local countersign = require('countersign')
    local names = vim.tbl_keys(countersign)
    table.sort(names)
    expect.equal({
      'message',
      'on_status',
      'request',
      'result',
      'session_began',
      'session_ended',
      'setup',
      'status',
    }, names)
  end)
end
