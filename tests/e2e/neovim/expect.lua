-- What a test expects. A failed expectation says what was expected and seen.

local expect = {}

-- How long a condition may take to come true, in milliseconds. It is a bound,
-- not a measure: a machine may be busy.
local PATIENCE = 60000

local function shown(value)
  return type(value) == 'string' and value or vim.inspect(value)
end

-- The lines of the test and of its helpers, the innermost first.
local function places()
  local found = {}
  for level = 3, 12 do
    local info = debug.getinfo(level, 'Sl')
    if not info then
      break
    end
    local file = vim.fs.basename(info.source)
    local machinery = vim.list_contains({ 'expect.lua', 'suite.lua', 'run.lua' }, file)
    if info.currentline > 0 and not machinery then
      table.insert(found, ('%s:%d'):format(file, info.currentline))
    end
  end
  return table.concat(found, ', ')
end

local function fail(expected, seen)
  local text = 'expected: %s\nseen: %s\nat: %s'
  error({ text = text:format(expected, shown(seen), places()) }, 0)
end

-- Waits until `look` returns something true as its first value and returns
-- that. Its second value, or else all that it looked at, is what was seen.
function expect.eventually(expected, look)
  local found, seen
  local came = vim.wait(PATIENCE, function()
    found, seen = look()
    return found and true or false
  end, 10)
  if not came then
    fail(('%s, within %d s'):format(expected, PATIENCE / 1000), seen)
  end
  return found
end

function expect.truth(expected, value, seen)
  if not value then
    fail(expected, seen == nil and value or seen)
  end
  return value
end

function expect.equal(expected, value)
  if not vim.deep_equal(expected, value) then
    fail(shown(expected), value)
  end
end

function expect.contains(text, part)
  if type(text) ~= 'string' or not text:find(part, 1, true) then
    fail(('a text with `%s`'):format(part), text)
  end
end

return expect
