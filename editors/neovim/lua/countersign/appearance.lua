--- How the window shows its text: each character in its place, whatever the
--- window that it was opened from is set to.

local M = {}

local OPTIONS = {
  arabic = false,
  conceallevel = 0,
  cursorbind = false,
  cursorline = false,
  diff = false,
  foldenable = false,
  linebreak = false,
  list = false,
  number = false,
  relativenumber = false,
  rightleft = false,
  scrollbind = false,
  scrolloff = 0,
  sidescrolloff = 0,
  signcolumn = 'no',
  spell = false,
  statuscolumn = '',
  winbar = '',
  winblend = 0,
  winfixbuf = true,
  winhighlight = 'Normal:CountersignNormal,FloatBorder:CountersignBorder',
  wrap = false,
}

---@param window integer
function M.apply(window)
  for name, value in pairs(OPTIONS) do
    vim.api.nvim_set_option_value(name, value, { win = window, scope = 'local' })
  end
end

return M
