--- Which keys the window has. All others are those of a window that nobody can
--- change anything in.

local M = {}

--- Keys that would only complain that nothing can be changed.
local HARMLESS =
  { 'A', 'C', 'I', 'O', 'P', 'R', 'S', 'X', 'c', 'i', 'o', 'p', 'x', '.', 'Q', '<CR>' }

--- Binds the keys of a card in place of those of the one before.
---@param buffer integer
---@param actions countersign.Action[] Enter is the first one, too.
---@param press fun(action: countersign.Action)
---@param window { later: fun(), turn: fun(step: integer) }
function M.bind(buffer, actions, press, window)
  local function map(lhs, run, description)
    local options = { buffer = buffer, nowait = true, desc = 'Countersign: ' .. description }
    vim.keymap.set('n', lhs, run, options)
  end
  vim.api.nvim_buf_call(buffer, function()
    vim.cmd('silent! mapclear <buffer>')
  end)
  for _, lhs in ipairs(HARMLESS) do
    map(lhs, '<Nop>', 'nothing')
  end
  for index, action in ipairs(actions) do
    local function run()
      press(action)
    end
    map(action.key, run, action.label)
    if index == 1 then
      map('<CR>', run, action.label)
    end
  end
  map('<Space>', '<C-f>', 'read on')
  map('q', window.later, 'later')
  map('<Esc>', window.later, 'later')
  map('<Tab>', function()
    window.turn(1)
  end, 'next')
  map('<S-Tab>', function()
    window.turn(-1)
  end, 'previous')
end

return M
