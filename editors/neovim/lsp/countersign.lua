--- For `vim.lsp.enable('countersign')` (Neovim 0.11 and newer). The plugin starts
--- the server by itself, too; both ways come to the same one.

local configuration = require('countersign.server').configuration()

configuration.root_dir = function(buffer, found)
  local folder = require('countersign.server').workspace(buffer)
  -- Without a screen nobody can be asked here.
  if folder and #vim.api.nvim_list_uis() > 0 then
    found(folder)
  end
end

return configuration
