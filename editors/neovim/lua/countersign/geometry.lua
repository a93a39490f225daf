--- Where the window is and how large: as large as what it shows, out of the way
--- of the cursor, and wholly on the screen.

local M = {}

--- Cells that a border takes on two sides.
local BORDER = 2

---@class countersign.Screen
---@field columns integer
---@field lines integer
---@field command_lines integer
---@field status_lines integer
---@field width integer The widest that it gets.
---@field wanted integer How many lines there are to show.
---@field focused boolean
---@field cursor? { row: integer, column: integer } Where the person types, from 1.

---@class countersign.Box
---@field row integer From 0.
---@field column integer From 0.
---@field width integer Without the border.
---@field height integer Likewise.
---@field fits boolean Whether all of it is on the screen.

--- The cells of a line in the window.
---@param columns integer
---@param widest integer
---@return integer
function M.width(columns, widest)
  return math.max(math.min(widest, columns - BORDER), 12)
end

--- At the lower right corner; where somebody types there, at the upper right.
--- While it has not the focus it takes less than half of the screen.
---@param screen countersign.Screen
---@return countersign.Box
function M.box(screen)
  local width = M.width(screen.columns, screen.width)
  local free = screen.lines - screen.command_lines - screen.status_lines
  local most = free - BORDER
  if not screen.focused then
    most = math.min(most, math.max(math.floor(free * 0.45), 6))
  end
  local height = math.max(math.min(screen.wanted, most), 1)
  local column = math.max(screen.columns - width - BORDER, 0)
  local row = math.max(free - height - BORDER, 0)
  local cursor = screen.cursor
  local covers = cursor and cursor.row - 1 >= row - 1 and cursor.column - 1 >= column - 1
  if covers then
    row = 0
  end
  local fits = width + BORDER <= screen.columns and height + BORDER <= free
  return { row = row, column = column, width = width, height = height, fits = fits }
end

--- Where the cursor is on the screen.
---@return { row: integer, column: integer }
function M.cursor()
  local window = vim.api.nvim_get_current_win()
  local position = vim.api.nvim_win_get_cursor(window)
  local place = vim.fn.screenpos(window, position[1], position[2] + 1)
  return { row = place.row, column = place.curscol > 0 and place.curscol or place.col }
end

return M
