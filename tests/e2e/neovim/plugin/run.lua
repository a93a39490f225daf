-- Runs the tests of the plugin:
--   nvim --headless --clean -l run.lua COUNTERSIGN FOLDER TMUX [PART OF A NAME]
-- FOLDER takes what the tests leave; its path should be short, for sockets.
-- `cargo xtask test neovim` installs Neovim and calls this.

local here = vim.fs.dirname(vim.fs.normalize(vim.fn.fnamemodify(arg[0], ':p')))
local above = vim.fs.dirname(here)
local root = vim.fs.dirname(vim.fs.dirname(vim.fs.dirname(above)))
package.path = ('%s/?.lua;%s/?.lua;%s'):format(here, above, package.path)
vim.opt.runtimepath:prepend(root .. '/editors/neovim')

local countersign, folder, tmux, only = arg[1], arg[2], arg[3], arg[4]
if not tmux or vim.fn.executable(countersign) == 0 or vim.fn.executable(tmux) == 0 then
  io.stderr:write('usage: nvim -l run.lua COUNTERSIGN FOLDER TMUX [PART OF A NAME]\n')
  vim.cmd('cquit 2')
end

local options = {
  countersign = vim.uv.fs_realpath(countersign),
  folder = vim.uv.fs_realpath(folder),
  root = root,
  tmux = tmux,
  only = only,
}

local suite = require('suite')
local Agent = require('agent')
local Person = require('person')

-- A test gets what it needs by asking for it; all of it is ended after it.
function options.open(context)
  context.people, context.agents = {}, {}
  function context.person(settings)
    local person = Person.open(options, context, settings)
    table.insert(context.people, person)
    return person
  end
  function context.agent()
    local agent = Agent.start(options.countersign, context.home, context.workspace)
    table.insert(context.agents, agent)
    return agent
  end
end

function options.close(context)
  for _, person in ipairs(context.people) do
    person:leaves()
  end
  for _, agent in ipairs(context.agents) do
    agent:stop()
  end
end

for _, tests in ipairs({
  'units',
  'drawing',
  'windows',
  'places',
  'corners',
  'answers',
  'status',
  'agents',
  'screens',
}) do
  require(tests)(suite)
end
local failed = suite.run(options)
Person.leave(options)
vim.cmd('cquit ' .. (failed and 1 or 0))
