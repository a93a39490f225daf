-- The status, and documents that are always up to date.

local expect = require('expect')
local examples = require('examples')

local function begin(t, settings)
  vim.fn.writefile({ 'first' }, t.workspace .. '/notes.txt')
  local person = t.person(settings)
  person:has_a_server()
  return person
end

return function(suite)
  local test = suite.test

  test('the line tells mode, what waits, denials against caps, and health', function()
    local status = require('countersign.status')
    local counters = { consecutiveBlock = 3, totalBlock = 4, totalUnavailable = 1 }
    local raw = {
      running = true,
      health = 'ok',
      mode = 'auto',
      pending = 0,
      consecutive = { count = 0, limit = 3 },
      total = { count = 0, limit = 20 },
      status = examples.status(),
    }
    expect.equal('countersign: auto', status.line(raw))
    expect.equal('CountersignStatusOk', status.highlight(raw))
    raw.consecutive.count, raw.total.count = counters.consecutiveBlock, 5
    raw.pending, raw.health = 2, 'warning'
    expect.equal(
      'countersign: auto · 2 to answer · denied 3/3, 5/20 · warning',
      status.line(raw)
    )
    expect.equal('CountersignStatusAsks', status.highlight(raw))
    raw.health = 'error'
    expect.equal('CountersignStatusError', status.highlight(raw))
    expect.equal(
      'countersign: off',
      status.line({ running = false, health = 'stopped', pending = 0 })
    )
  end)

  test('lualine has a component', function()
    package.loaded['lualine.component'] = {
      extend = function(self)
        return setmetatable({ super = self }, { __index = self })
      end,
      init = function(self, options)
        self.options = options
      end,
    }
    local component = require('lualine.components.countersign')
    component:init({})
    expect.equal('countersign: off', component:update_status())
    expect.equal('CountersignStatusError', component.options.color())
    package.loaded['lualine.component'] = nil
    package.loaded['lualine.components.countersign'] = nil
  end)

  test('whoever comes late is told at once, and on every change', function(t)
    local person = begin(t, {
      lua = [[
        _G.events = {}
        vim.api.nvim_create_autocmd('User', {
          pattern = 'CountersignStatus',
          callback = function(event)
            table.insert(_G.events, event.data)
          end,
        })
      ]],
    })
    person:sees('an event', "return #_G.events > 0 and _G.events[#_G.events].mode == 'default'")
    person:lua([[
      _G.late = {}
      _G.stop = require('countersign').on_status(function(raw)
        table.insert(_G.late, raw)
      end)
    ]])
    expect.equal({ 1, 'default', 0 }, person:lua('return { #late, late[1].mode, late[1].pending }'))
    local agent = t.agent()
    local hook = agent:calls_tool('Bash', { command = 'touch x' })
    person:sees('one that waits', 'return late[#late].pending == 1')
    person:reads('1 to answer')
    -- The status has no nonce.
    local raw = person:lua("return vim.inspect(select(2, require('countersign').status()))")
    expect.truth('no nonce', not raw:find('nonce', 1, true), raw)
    person:lua('stop()')
    local count = person:lua('return #late')
    person:commands('Countersign deny')
    hook:blocks()
    person:reads_no_more('1 to answer')
    expect.equal(count, person:lua('return #late'))
  end)

  test('the document of a session and the journal are written anew as it goes on', function(t)
    local person = begin(t)
    local agent = t.agent()
    local hook = agent:calls_tool('Bash', { command = 'touch first-call' })
    person:is_asked('touch first-call')
    person:commands('Countersign session')
    person:sees(
      'the document',
      [[
      return vim.api.nvim_buf_get_name(0):find('^countersign:/session/claude%-code/') ~= nil
        and table.concat(vim.fn.getline(1, '$'), '\n'):find('touch first-call', 1, true) ~= nil
    ]]
    )
    person:sees('a diagnostic in it', 'return #vim.diagnostic.get(0) > 0')
    person:sees(
      'a document that nobody can change',
      'return not vim.bo.modifiable and not vim.bo.modified'
    )
    person:commands('Countersign deny')
    hook:blocks()
    local another = agent:calls_tool('Bash', { command = 'touch second-call' })
    person:sees(
      'the second call in the same document',
      [[
      return table.concat(vim.fn.getline(1, '$'), '\n'):find('touch second-call', 1, true) ~= nil
    ]]
    )
    person:commands('Countersign journal')
    person:sees(
      'the journal',
      [[
      local text = table.concat(vim.fn.getline(1, '$'), '\n')
      return vim.api.nvim_buf_get_name(0) == 'countersign:/journal' and text:find('touch second-call', 1, true) ~= nil
    ]]
    )
    person:commands('Countersign deny')
    another:blocks()
    person:sees(
      'the answer in the journal',
      [[
      local text = table.concat(vim.fn.getline(1, '$'), '\n')
      return select(2, text:gsub('touch second%-call', '')) >= 1 and text:find('cancel', 1, true) ~= nil
    ]]
    )
    person:commands('Countersign status')
    person:sees(
      'the status',
      [[
      local text = table.concat(vim.fn.getline(1, '$'), '\n')
      return text:find('## Sessions', 1, true) ~= nil and text:find(..., 1, true) ~= nil
    ]],
      t.workspace
    )
    person:commands('Countersign explain')
    person:sees(
      'why',
      [[
      return table.concat(vim.fn.getline(1, '$'), '\n'):find('touch second-call', 1, true) ~= nil
    ]]
    )
  end)

  test('hover, lenses and diagnostics are there in the settings file', function(t)
    vim.fn.mkdir(t.workspace .. '/.countersign')
    vim.fn.writefile({
      '{',
      '  "permissions": {',
      '    "ask": ["Bash(touch *)"],',
      '    "deny": ["Bash(rm *"]',
      '  }',
      '}',
    }, t.workspace .. '/.countersign/settings.json')
    local person = begin(t, { file = '.countersign/settings.json' })
    person:sees(
      'a problem of a rule',
      [[
      return vim.iter(vim.diagnostic.get(0)):any(function(one) return one.lnum == 3 end)
    ]]
    )
    local agent = t.agent()
    local hook = agent:calls_tool('Bash', { command = 'touch x' })
    person:is_asked('touch x')
    person:sees(
      'a lens that has counted',
      [[
      local is_new = vim.fn.has('nvim-0.12') == 1
      if not is_new then
        vim.lsp.codelens.refresh({ bufnr = 0 })
      end
      return vim.iter(vim.lsp.codelens.get(is_new and { bufnr = 0 } or 0)):any(function(found)
        return ((found.lens or found).command or {}).title:find('matched once') ~= nil
      end)
    ]]
    )
    person:commands('call cursor(3, 15)')
    person:commands('lua vim.lsp.buf.hover()')
    person:reads('ask rule')
    person:commands('Countersign deny')
    hook:blocks()
  end)

  test('checkhealth says what is there and what is missing', function(t)
    local person = begin(t)
    local function report()
      person:commands('checkhealth countersign')
      return person:sees(
        'a report',
        [[
        return vim.bo.filetype == 'checkhealth' and table.concat(vim.fn.getline(1, '$'), '\n')
      ]]
      )
    end
    local well = report()
    expect.contains(well, 'the configuration is valid')
    expect.contains(well, t.workspace)
    expect.contains(well, 'is not trusted')
    person:commands('bwipeout!')
    person:lua("require('countersign').setup({ cmd = { 'no-such-program' }, colour = 1 })")
    local ill = report()
    expect.contains(ill, '`no-such-program` is not found')
    expect.contains(ill, 'there is no option `colour`')
  end)

  test('install runs the program in a terminal, if it has that', function(t)
    vim.fn.writefile({ 'first' }, t.workspace .. '/notes.txt')
    local program = vim.fs.dirname(t.workspace) .. '/program'
    local function writes(help)
      vim.fn.writefile({
        '#!/bin/sh',
        ('case "$*" in "install --help") exit %d;; install) echo installing here;; esac'):format(
          help
        ),
      }, program)
      vim.fn.setfperm(program, 'rwx------')
    end
    writes(2)
    local person = t.person({
      lua = ("require('countersign').setup({ cmd = { %q, 'lsp' } })"):format(program),
    })
    person:commands('Countersign install')
    person:is_told('cannot install itself')
    writes(0)
    person:commands('Countersign install')
    person:reads('installing here')
    expect.equal('terminal', person:lua('return vim.bo.buftype'))
  end)

  test('restart starts anew, and log shows the log', function(t)
    local person = begin(t)
    local before = person:lua("return vim.lsp.get_clients({ name = 'countersign' })[1].id")
    person:commands('Countersign restart')
    person:sees(
      'another server',
      [[
      local clients = vim.lsp.get_clients({ name = 'countersign' })
      return #clients == 1 and clients[1].id ~= ...
    ]],
      before
    )
    person:has_a_server()
    expect.equal({}, person:notices())
    person:commands('Countersign log')
    person:sees('the log', "return vim.fn.expand('%:t') == 'lsp.log'")
    person:commands('Countersign nonsense')
    person:is_told('there is no `nonsense`')
  end)
end
