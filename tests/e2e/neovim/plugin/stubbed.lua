-- An editor whose server says what the test wants, and what tests need with it.

local expect = require('expect')
local examples = require('examples')

local stubbed = {}

local STUB = [[
  stub = require('stub')
  require('countersign').setup({ cmd = stub.start })
]]

-- Opens an editor whose server is the stub.
function stubbed.begin(t, settings)
  settings = settings or {}
  vim.fn.writefile({ 'first', 'second' }, t.workspace .. '/notes.txt')
  local person = t.person(vim.tbl_extend('force', settings, { lua = STUB .. (settings.lua or '') }))
  person:sees(
    'a client',
    "return #stub.asked('initialize') > 0 and #stub.asked('countersign/pendingApprovals') > 0"
  )
  return person
end

function stubbed.says(person, method, params)
  person:lua('stub.says(...)', method, params)
end

-- A call is asked about.
function stubbed.asks(person, changes)
  stubbed.says(person, 'countersign/approvalRequested', examples.approval(changes))
end

function stubbed.resolved(person, id)
  stubbed.says(person, 'countersign/approvalResolved', {
    id = id or examples.approval().id,
    agent = 'claude-code',
    session = '6f1c2d3e',
    answer = 'cancel',
    decision = 'block',
  })
end

-- What the plugin answered so far.
function stubbed.answers(person)
  return person:lua("return stub.asked('countersign/resolveApproval')")
end

function stubbed.answered(person, count)
  return expect.eventually(count .. ' answers', function()
    local all = stubbed.answers(person)
    return #all == count and all, { answers = all, screen = person:screen() }
  end)
end

-- Everything that was typed before has been dealt with.
function stubbed.settled(person)
  person:sees('an editor at rest', 'return vim.fn.getchar(1) == 0')
end

return stubbed
