-- Runs the tests in this Neovim:
--   nvim --headless --clean -l run.lua COUNTERSIGN FOLDER [PART OF A NAME]
-- FOLDER takes what the tests leave; its path should be short, for sockets.
-- `cargo xtask test neovim` installs Neovim and calls this.

local here = vim.fs.dirname(vim.fs.normalize(vim.fn.fnamemodify(arg[0], ':p')))
package.path = here .. '/?.lua;' .. package.path

local countersign, folder, only = arg[1], arg[2], arg[3]
if not countersign or not folder or vim.fn.executable(countersign) == 0 then
  io.stderr:write('usage: nvim -l run.lua COUNTERSIGN FOLDER [PART OF A NAME]\n')
  vim.cmd('cquit 2')
end

local suite = require('suite')
local Agent = require('agent')
local Editor = require('editor')
for _, tests in ipairs({ 'approvals', 'shown', 'settings', 'servers', 'documentation' }) do
  require(tests)(suite)
end
local failed = suite.run({
  countersign = vim.uv.fs_realpath(countersign),
  folder = vim.uv.fs_realpath(folder),
  -- The repository.
  root = vim.fs.dirname(vim.fs.dirname(vim.fs.dirname(here))),
  only = only,
  open = function(context)
    context.agent = Agent.start(vim.uv.fs_realpath(countersign), context.home, context.workspace)
    context.editor = Editor.open(vim.uv.fs_realpath(countersign), context.home, context.workspace)
  end,
  -- The editor goes first: the agent's hooks then see a server that ends.
  close = function(context)
    if context.editor then
      context.editor:close()
    end
    if context.agent then
      context.agent:stop()
    end
  end,
})
vim.cmd('cquit ' .. (failed and 1 or 0))
