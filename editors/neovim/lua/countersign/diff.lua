--- The change that an approval proposes, beside the file as it is. It shows; the
--- window of the approval is what counts, because it shows what was asked.

local notify = require('countersign.notify')
local rpc = require('countersign.rpc')
local text = require('countersign.text')

local M = {}

---@class countersign.TextChange
---@field path string
---@field old string[] The lines that it takes out, with those that stay.
---@field new string[] The lines that it puts in, likewise.

--- The changes in an approval's text: each is a line `edit PATH` or the like,
--- and then lines that begin with `-`, `+` or a space.
---@param whole string
---@return countersign.TextChange[]
function M.changes(whole)
  local changes = {}
  local current
  for line in (whole .. '\n'):gmatch('(.-)\n') do
    local sign, rest = line:sub(1, 1), line:sub(2)
    local path = line:match('^edit (/.+)$')
      or line:match('^write (/.+)$')
      or line:match('^change a cell of (/.+)$')
    if path then
      current = { path = path, old = {}, new = {} }
      changes[#changes + 1] = current
    elseif current and (sign == '-' or sign == ' ') then
      current.old[#current.old + 1] = rest
      if sign == ' ' then
        current.new[#current.new + 1] = rest
      end
    elseif current and sign == '+' then
      current.new[#current.new + 1] = rest
    end
  end
  return changes
end

--- The whole file after a change. Nothing if the old text is not in it exactly
--- once, or if it is another text than the lines say (an escape stands for a
--- character).
---@param file string[]
---@param change countersign.TextChange
---@return string[]?
function M.apply(file, change)
  if #change.old == 0 then
    return change.new
  end
  local whole = table.concat(file, '\n')
  local old = table.concat(change.old, '\n')
  local first, last = whole:find(old, 1, true)
  if not first or whole:find(old, first + 1, true) then
    return nil
  end
  local proposed = whole:sub(1, first - 1) .. table.concat(change.new, '\n') .. whole:sub(last + 1)
  return vim.split(proposed, '\n', { plain = true })
end

---@param name string
---@param lines string[]
---@param filetype string
---@return integer buffer
local function scratch(name, lines, filetype)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].swapfile = false
  vim.api.nvim_buf_set_lines(buffer, 0, -1, true, lines)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].modeline = false
  pcall(vim.api.nvim_buf_set_name, buffer, name)
  -- Colours and nothing else: no plugin shall take it for a file.
  vim.bo[buffer].syntax = filetype
  vim.keymap.set('n', 'q', '<Cmd>tabclose<CR>', { buffer = buffer, nowait = true })
  return buffer
end

--- Opens a tab page with two windows in diff mode.
---@param id string The guard's id of the call.
---@param path string
---@param before string[]
---@param after string[]
local function compare(id, path, before, after)
  local filetype = vim.filetype.match({ filename = path }) or ''
  local name = ('%s/%s'):format(id:sub(1, 8), vim.fs.basename(path))
  vim.cmd.tabnew()
  local empty = vim.api.nvim_get_current_buf()
  local left = scratch('countersign:/before/' .. name, before, filetype)
  local right = scratch('countersign:/after/' .. name, after, filetype)
  vim.api.nvim_win_set_buf(0, left)
  vim.cmd.diffthis()
  vim.cmd('rightbelow vertical split')
  vim.api.nvim_win_set_buf(0, right)
  vim.cmd.diffthis()
  for buffer, words in pairs({ [left] = 'as it is', [right] = 'as proposed' }) do
    local window = vim.fn.win_findbuf(buffer)[1]
    vim.api.nvim_set_option_value('winbar', words, { win = window, scope = 'local' })
  end
  if vim.api.nvim_buf_is_valid(empty) and empty ~= left then
    vim.api.nvim_buf_delete(empty, { force = true })
  end
end

--- The lines of a text that ends with a line's end, or does not.
---@param whole string?
---@return string[]
local function lines_of(whole)
  return vim.split(((whole or ''):gsub('\n$', '')), '\n', { plain = true })
end

--- Asks which of several changes to show; shows the only one.
---@param changes { path: string }[]
---@param show fun(change: any)
local function choose(changes, show)
  if #changes == 0 then
    notify.info('this call has no change that could be shown beside its file')
  elseif #changes == 1 then
    show(changes[1])
  else
    vim.ui.select(changes, {
      prompt = 'Which file?',
      kind = 'countersign_change',
      format_item = function(change)
        return text.visible(change.path)
      end,
    }, function(change)
      if change then
        show(change)
      end
    end)
  end
end

--- What the approval's own text says, put into the file as it is here.
---@param approval countersign.Approval
local function open_text(approval)
  choose(M.changes(approval.text), function(change)
    local before = {}
    if vim.fn.filereadable(change.path) == 1 then
      before = vim.fn.readfile(change.path)
    end
    local after = M.apply(before, change)
    if not after then
      before, after = change.old, change.new
      notify.info('only the changed lines are shown: they are not in the file exactly once')
    end
    compare(approval.id, change.path, before, after)
  end)
end

--- Shows the change of an approval: as the server reads it, or, from a server
--- that does not tell, as the approval's text says.
---@param client integer
---@param approval countersign.Approval
function M.open(client, approval)
  rpc.request(client, 'countersign/call', { id = approval.id }, function(result, problem)
    if problem or #result.changes == 0 then
      open_text(approval)
      return
    end
    choose(result.changes, function(change)
      if not change.before and not change.after then
        notify.info('this change cannot be shown as text')
        return
      elseif change.kind == 'part' then
        notify.info('only the part that changes is shown')
      end
      compare(approval.id, change.path, lines_of(change.before), lines_of(change.after))
    end)
  end)
end

return M
