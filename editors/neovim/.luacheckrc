-- What luacheck (Debian's lua-check) holds our Lua to.
std = 'luajit'
read_globals = { 'vim' }
globals = { 'vim.g', 'vim.o', 'vim.bo', 'vim.wo', 'vim.opt', 'vim.env', 'vim.ui', 'vim.notify' }
max_line_length = 130
-- The test's body gets its context, used or not; helpers of the suite likewise.
ignore = { '212/_.*', '212/self', '122' }
files['tests/e2e/neovim'] = { read_globals = { 'arg' }, globals = { '_G' } }
