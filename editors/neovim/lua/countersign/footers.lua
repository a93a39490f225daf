--- The lower border of the window: which keys there are, and which of them count
--- already.

local M = {}

--- For a window that has not the focus.
---@return [string, string][]
function M.away()
  return { { ' :Countersign pending ', 'CountersignKey' }, { 'to answer ', 'CountersignDisabled' } }
end

--- The keys with as many words as there is room for: the first ones keep theirs.
---@param keys { key: string, label: string, guarded?: boolean }[]
---@param is_armed boolean
---@param unseen integer Lines that were never on the screen.
---@param width integer
---@return [string, string][]
function M.keys(keys, is_armed, unseen, width)
  local function drawn(labelled)
    local chunks = {}
    for index, action in ipairs(keys) do
      local enabled = not action.guarded or is_armed
      local before = index == 1 and ' ' or '  '
      chunks[#chunks + 1] = {
        before .. action.key,
        enabled and 'CountersignKey' or 'CountersignDisabled',
      }
      if index <= labelled then
        chunks[#chunks + 1] = {
          ' ' .. action.label,
          enabled and 'CountersignNormal' or 'CountersignDisabled',
        }
      end
    end
    if unseen > 0 then
      local words = unseen == 1 and 'line' or 'lines'
      chunks[#chunks + 1] = { ('  (%d %s to read)'):format(unseen, words), 'CountersignNotFine' }
    end
    chunks[#chunks + 1] = { ' ', 'CountersignNormal' }
    return chunks
  end
  for labelled = #keys, 1, -1 do
    local chunks = drawn(labelled)
    local cells = 0
    for _, chunk in ipairs(chunks) do
      cells = cells + vim.api.nvim_strwidth(chunk[1])
    end
    if cells <= width then
      return chunks
    end
  end
  return drawn(0)
end

return M
