--- Short messages. Whatever shows them gets one line with nothing in it that
--- moves the cursor.

local text = require('countersign.text')

local M = {}

---@param words string
---@param level integer
local function say(words, level)
  vim.schedule(function()
    vim.notify('Countersign: ' .. text.short(words, 300), level, { title = 'Countersign' })
  end)
end

---@param words string
function M.info(words)
  say(words, vim.log.levels.INFO)
end

---@param words string
function M.warning(words)
  say(words, vim.log.levels.WARN)
end

---@param words string
function M.failure(words)
  say(words, vim.log.levels.ERROR)
end

return M
