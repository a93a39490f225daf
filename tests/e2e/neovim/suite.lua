-- Named tests, each with a workspace of its own, and what the runner opens there.

local suite = {}
local tests = {}

-- Declares a test. The body gets a table with `workspace`, `home`, the
-- repository's `root`, and what the runner adds.
function suite.test(name, body)
  tests[#tests + 1] = { name = name, body = body }
end

local function say(text)
  io.stdout:write(text, '\n')
  io.stdout:flush()
end

-- A workspace without settings and without trust, and a home for Countersign.
local function place(folder)
  local workspace = folder .. '/project'
  vim.fn.mkdir(workspace .. '/.git', 'p')
  return workspace, folder .. '/home'
end

-- What the language client logged: the server's standard error, above all.
local function logged()
  local file = vim.fn.stdpath('log') .. '/lsp.log'
  return vim.fn.filereadable(file) == 1 and vim.fn.readfile(file) or {}
end

-- What is told of a problem: a failed expectation as it is, an error of Lua
-- with where it was.
local function told(problem)
  return type(problem) == 'table' and problem.text or debug.traceback(problem, 2)
end

-- Runs a test; what is wrong, if anything is.
local function run_one(test, options, folder)
  local workspace, home = place(folder)
  local context = { workspace = workspace, home = home, root = options.root }
  local passed, problem = xpcall(function()
    options.open(context)
    test.body(context)
  end, told)
  local closed, closing = xpcall(function()
    options.close(context)
  end, told)
  if not passed then
    return problem
  end
  return not closed and closing or nil
end

-- Runs the tests whose name contains `only`, between the options' `open` and
-- `close`; whether any failed.
function suite.run(options)
  local passed, failed = 0, 0
  for number, test in ipairs(tests) do
    if not options.only or test.name:find(options.only, 1, true) then
      local began = vim.uv.hrtime()
      local before = #logged()
      local folder = ('%s/%d'):format(options.folder, number)
      local problem = run_one(test, options, folder)
      local took = (vim.uv.hrtime() - began) / 1e9
      say(('%s %s (%.1f s)'):format(problem and 'FAILED' or 'ok', test.name, took))
      if problem then
        failed = failed + 1
        say('  ' .. problem:gsub('\n', '\n  '))
        for _, line in ipairs(vim.list_slice(logged(), before + 1)) do
          say('  log: ' .. line)
        end
      else
        passed = passed + 1
      end
    end
  end
  say(('%d passed, %d failed'):format(passed, failed))
  return failed > 0 or passed == 0
end

return suite
