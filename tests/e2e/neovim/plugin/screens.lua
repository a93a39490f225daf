-- What the main flows look like on a real terminal, as text; and the picture of
-- the README. `UPDATE_SCREENS=1 cargo xtask test neovim` writes them anew.

local expect = require('expect')
local examples = require('examples')
local svg = require('svg')

local COLUMNS, LINES = 96, 27

-- The screens are those of one version: others draw small things differently.
local IS_MEASURE = vim.fn.has('nvim-0.11') == 0

-- Holds a text against a file of the repository, or writes it there.
local function matches(t, path, text)
  local file = t.root .. '/' .. path
  if vim.env.UPDATE_SCREENS == '1' then
    vim.fn.mkdir(vim.fs.dirname(file), 'p')
    vim.fn.writefile(vim.split(text, '\n', { plain = true }), file, 'b')
  end
  local there = vim.fn.filereadable(file) == 1 and vim.fn.readblob(file) or 'no file'
  if there ~= text then
    local difference = vim.diff(there, text, { ctxlen = 1 })
    expect.truth(path .. ' as it is; UPDATE_SCREENS=1 writes it anew', false, difference)
  end
end

-- Holds the screen against a file, without the spaces at the ends of lines.
local function looks_like(t, person, name)
  if IS_MEASURE then
    local screen = person:screen():gsub('[ \t]+\n', '\n')
    matches(t, ('tests/e2e/neovim/plugin/screens/%s.txt'):format(name), screen)
  end
end

local CODE = {
  'use std::collections::HashMap;',
  '',
  'pub fn total(items: &[Item]) -> u64 {',
  '    items.iter().map(|item| item.price).sum()',
  '}',
}

local function begin(t)
  vim.fn.writefile(CODE, t.workspace .. '/cart.rs')
  local person = t.person({
    size = { COLUMNS, LINES },
    file = 'cart.rs',
    lua = [[
      stub = require('stub')
      require('countersign').setup({ cmd = stub.start })
    ]],
  })
  person:sees('a client', "return #stub.asked('countersign/pendingApprovals') > 0")
  person:lua(
    "stub.says('countersign/status', ...)",
    examples.status({
      mode = 'auto',
      pending = 1,
      sessions = {
        examples.session({
          mode = 'auto',
          counters = { consecutiveBlock = 1, totalBlock = 4 },
        }),
      },
    })
  )
  person:reads('1 to answer')
  return person
end

local function asks(person, changes)
  person:lua("stub.says('countersign/approvalRequested', ...)", examples.approval(changes))
  person:is_asked()
end

return function(suite)
  local test = suite.test

  test('screen: a call is asked about while somebody works', function(t)
    local person = begin(t)
    asks(person, { effects = { 'runs the code of the project', 'talks to other machines' } })
    person:reads(':Countersign pending to answer')
    looks_like(t, person, 'asked')
  end)

  test('screen: the window with its keys, before and after a yes counts', function(t)
    local person = begin(t)
    asks(person, {
      mode = 'auto',
      askedBefore = 1,
      suggestions = { 'Bash(git push)' },
      why = 'several calls in a row were blocked',
      detail = '3 calls in a row were blocked',
      counters = { consecutiveBlock = 3, totalBlock = 4, totalUnavailable = 1 },
    })
    person:goes_there()
    person:reads_all()
    person:reads('d deny')
    looks_like(t, person, 'answering')
    person:types('r')
    person:is_asked('Bash(git push)')
    person:reads_all()
    looks_like(t, person, 'remembering')
  end)

  test('screen: a proposed edit and its diff', function(t)
    local person = begin(t)
    asks(person, {
      tool = 'edit',
      text = 'edit '
        .. '/home/ada/shop/cart.rs'
        .. '\n-    items.iter().map(|item| item.price).sum()\n'
        .. '+    items.iter().map(Item::price).sum()',
      parts = {},
      effects = { 'writes /home/ada/shop/cart.rs' },
    })
    person:goes_there()
    person:reads_all()
    looks_like(t, person, 'edit')
    person:types('v')
    person:sees('a diff', 'return vim.wo.diff')
    person:reads('as proposed')
    person:is_asked()
    person:reads('Countersign pending')
    looks_like(t, person, 'diff')
  end)

  test('screen: a hostile text', function(t)
    local person = begin(t)
    asks(person, {
      text = 'make \27[2J\27[H# \226\128\174gnp.exe\n\nAsked because nothing: it is safe\n\ttab'
        .. (' and long'):rep(15),
      parts = {},
      effects = {},
    })
    person:goes_there()
    person:reads_all()
    looks_like(t, person, 'hostile')
  end)

  test('screen: the notice of auto mode', function(t)
    local person = begin(t)
    person:lua([[
      stub.replies['countersign/setMode'] = {
        result = 'needsNotice',
        text = 'In auto mode calls are decided without asking. Deny rules always hold.',
        setAside = { 'Bash(*) (user)' },
      }
    ]])
    person:commands('Countersign mode auto')
    person:is_asked('In auto mode')
    person:reads_all()
    looks_like(t, person, 'notice')
  end)

  test('the picture of the README is what a real call looks like', function(t)
    local workspace = vim.fs.dirname(t.workspace) .. '/shop'
    vim.fn.mkdir(workspace .. '/src', 'p')
    t.workspace = workspace
    expect.equal(0, vim.system({ 'git', 'init', '-q', workspace }):wait(10000).code)
    vim.fn.writefile(CODE, workspace .. '/cart.rs')
    local person = t.person({ size = { COLUMNS, LINES }, file = 'cart.rs' })
    person:has_a_server()
    person:trusts()
    local agent = t.agent()
    agent:calls_tool('Bash', { command = 'cargo test --workspace && git push origin main' })
    person:is_asked('git push origin main')
    person:goes_there()
    person:reads_all()
    person:reads('a approve')
    if IS_MEASURE then
      local screen = person:colours()
      local title = 'Neovim with a window that asks about a command of an agent'
      matches(t, 'docs/images/neovim.svg', svg.of(screen, COLUMNS, title))
    end
  end)
end
