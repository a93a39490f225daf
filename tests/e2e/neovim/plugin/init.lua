-- The configuration of somebody who likes it plain: the same screen everywhere.

vim.o.laststatus = 2
vim.o.showmode = false
vim.o.ruler = false
vim.o.showcmd = false
vim.o.shortmess = vim.o.shortmess .. 'I'
vim.o.swapfile = false
vim.o.termguicolors = true
vim.o.background = 'dark'
vim.o.fillchars = 'eob: '
vim.o.statusline = " %t%=%{v:lua.require'countersign'.status()} "

-- What is said is kept for the test.
_G.notices = {}
vim.notify = function(text)
  table.insert(_G.notices, text)
end
