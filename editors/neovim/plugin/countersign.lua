--- Nothing is loaded here but what has to be there before the first file: the
--- command and the events that load the rest.

if vim.g.loaded_countersign then
  return
end
vim.g.loaded_countersign = true

if vim.fn.has('nvim-0.10') == 0 then
  vim.notify_once('Countersign needs Neovim 0.10 or newer', vim.log.levels.ERROR)
  return
end

vim.api.nvim_create_user_command('Countersign', function(given)
  require('countersign.command').run(given)
end, {
  nargs = '*',
  desc = 'Countersign: what agents want to do',
  complete = function(lead, line)
    return require('countersign.command').complete(lead, line)
  end,
})

local group = vim.api.nvim_create_augroup('countersign', {})

vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile' }, {
  group = group,
  desc = 'Countersign: start the server of the workspace',
  callback = function(event)
    if vim.bo[event.buf].buftype == '' then
      require('countersign.server').opened(event.buf)
    end
  end,
})

vim.api.nvim_create_autocmd('BufReadCmd', {
  group = group,
  pattern = 'countersign:/*',
  desc = 'Countersign: documents',
  callback = function(event)
    require('countersign.documents').read(event.buf)
  end,
})

-- Whoever leaves the last screen can answer nothing; whoever comes back can.
vim.api.nvim_create_autocmd('UIEnter', {
  group = group,
  desc = 'Countersign: start the servers',
  callback = function()
    if vim.v.vim_did_enter == 1 then
      vim.schedule(function()
        require('countersign.server').screen_came()
      end)
    end
  end,
})

vim.api.nvim_create_autocmd('UILeave', {
  group = group,
  desc = 'Countersign: leave asking to others',
  callback = function()
    if vim.v.exiting == vim.NIL then
      vim.schedule(function()
        require('countersign.server').screen_went()
      end)
    end
  end,
})

vim.api.nvim_create_autocmd('ColorScheme', {
  group = group,
  callback = function()
    require('countersign.highlights').define()
  end,
})
require('countersign.highlights').define()

if vim.v.vim_did_enter == 1 then
  -- Loaded late, by a plugin manager.
  vim.schedule(function()
    require('countersign.server').screen_came()
  end)
end
