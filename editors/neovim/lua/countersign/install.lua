--- `:Countersign install`: runs `countersign install` in a terminal window, where
--- the person sees what it does and answers what it asks.

local config = require('countersign.config')
local notify = require('countersign.notify')

local M = {}

--- The program that the server is started with.
---@return string?
local function program()
  local command = config.get().cmd
  local name = type(command) == 'table' and command[1] or nil
  return name and vim.fn.executable(name) == 1 and vim.fn.exepath(name) or nil
end

function M.run()
  local path = program()
  if not path then
    notify.failure('the program is not found; see :checkhealth countersign')
    return
  end
  -- An older one has no such sub-command.
  vim.system({ path, 'install', '--help' }, { timeout = 10000 }, function(result)
    vim.schedule(function()
      if result.code ~= 0 then
        notify.warning('this version cannot install itself; docs/agents.md has what to paste')
        return
      end
      vim.cmd.split()
      vim.cmd.enew()
      if vim.fn.has('nvim-0.11') == 1 then
        vim.fn.jobstart({ path, 'install' }, { term = true })
      else
        vim.fn.termopen({ path, 'install' })
      end
    end)
  end)
end

return M
