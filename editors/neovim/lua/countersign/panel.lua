--- The one window in which a person answers: a float that shows one card at a
--- time. It opens without taking the focus, so that no key that somebody types
--- meanwhile can answer; only keys that are typed in it do, and those that say
--- yes only once it is armed.

local Arming = require('countersign.arming')
local Deck = require('countersign.deck')
local appearance = require('countersign.appearance')
local config = require('countersign.config')
local footers = require('countersign.footers')
local geometry = require('countersign.geometry')
local keys = require('countersign.keys')

local M = {}

--- How often the window looks at itself while it is not armed, in milliseconds.
local TICK = 50

local SPACE = vim.api.nvim_create_namespace('countersign.panel')
local KEYS = vim.api.nvim_create_namespace('countersign.keys')
local GROUP = vim.api.nvim_create_augroup('countersign.panel', {})

local deck = Deck.new()

---@class countersign.OpenWindow
---@field window integer
---@field buffer integer
---@field page integer Its tab page.
---@field drawing countersign.Drawing
---@field arming countersign.Arming
---@field fits? boolean Whether all of it is on the screen.
---@field timer? uv.uv_timer_t
---@field before? integer The window that the person came from.

---@type countersign.OpenWindow?
local open

--- The key that was typed last. A key that something feeds is not typed.
local typed = ''

local function now()
  return math.floor(vim.uv.hrtime() / 1e6)
end

---@return boolean
local function has_screen()
  return #vim.api.nvim_list_uis() > 0
end

---@return boolean
local function is_focused()
  return open ~= nil and vim.api.nvim_get_current_win() == open.window
end

--- What the lower border says: the keys, or how to get to them.
---@return [string, string][]
local function footer(width)
  if not is_focused() then
    return footers.away()
  end
  local all = vim.list_extend({}, open.drawing.actions)
  all[#all + 1] = { key = 'q', label = 'later' }
  if deck:count() > 1 then
    all[#all + 1] = { key = 'Tab', label = 'next' }
  end
  return footers.keys(all, open.arming:is_armed(), open.arming:unseen(), width)
end

local function title()
  local number, count = deck:position()
  local position = count > 1 and (' (%d of %d)'):format(number, count) or ''
  return { { ' ' .. open.drawing.title .. position .. ' ', 'CountersignTitle' } }
end

--- Draws border and size anew.
local function frame()
  local options = config.get()
  local box = geometry.box({
    columns = vim.o.columns,
    lines = vim.o.lines,
    command_lines = vim.o.cmdheight,
    status_lines = vim.o.laststatus > 0 and 1 or 0,
    width = options.width,
    wanted = #open.drawing.lines,
    focused = is_focused(),
    cursor = not is_focused() and geometry.cursor() or nil,
  })
  open.fits = box.fits
  vim.api.nvim_win_set_config(open.window, {
    relative = 'editor',
    anchor = 'NW',
    row = box.row,
    col = box.column,
    width = box.width,
    height = box.height,
    title = title(),
    title_pos = 'left',
    footer = footer(box.width),
    footer_pos = 'left',
  })
end

--- Looks what is on the screen, and whether that is all of it.
local function look()
  if not open or not vim.api.nvim_win_is_valid(open.window) then
    return
  end
  local unseen = open.arming:unseen()
  local is_here = open.page == vim.api.nvim_get_current_tabpage()
  if is_here and open.fits then
    open.arming:sees(vim.fn.line('w0', open.window), vim.fn.line('w$', open.window))
  end
  if unseen ~= open.arming:unseen() then
    frame()
  end
end

--- The editor is about to wait for a key and has none in store: only such
--- moments count as rest. A timer alone would count while `:sleep` runs, too.
local function rest()
  if not open or not is_focused() then
    return
  end
  local was = open.arming:is_armed()
  open.arming:tick(now())
  if was ~= open.arming:is_armed() then
    frame()
  end
end

local function unwatch()
  if open and open.timer then
    open.timer:stop()
    open.timer:close()
    open.timer = nil
  end
end

--- Looks again and again until there is nothing to wait for: in a window without
--- the focus, once is enough.
local function watch()
  if open.timer then
    return
  end
  local function tick()
    look()
    if open and (not is_focused() or open.arming:is_armed()) then
      unwatch()
    end
  end
  open.timer = assert(vim.uv.new_timer())
  open.timer:start(TICK, TICK, vim.schedule_wrap(tick))
end

--- A key of the window. One that is fed and not typed says nothing; a yes that
--- comes too early makes the person wait anew.
---@param action countersign.Action
local function press(action)
  if not open or not is_focused() then
    return
  end
  if action.guarded then
    local is_typed = typed == action.key
    if not is_typed or not open.arming:is_armed() then
      if is_typed then
        open.arming:restart(now())
        watch()
      end
      frame()
      return
    end
  end
  action.run()
end

--- A space before each line.
---@param drawing countersign.Drawing
---@return countersign.Drawing
local function with_margin(drawing)
  for index, line in ipairs(drawing.lines) do
    drawing.lines[index] = ' ' .. line
  end
  for _, span in ipairs(drawing.spans) do
    span.from, span.to = span.from + 1, span.to + 1
  end
  return drawing
end

--- Writes the current card into the window's buffer.
local function draw()
  local card = assert(deck:current())
  local buffer = open.buffer
  local width = geometry.width(vim.o.columns, config.get().width)
  open.drawing = with_margin(card.draw(width - 2))
  open.arming = Arming.new(#open.drawing.lines)
  if is_focused() then
    open.arming:restart(now())
  end
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, true, open.drawing.lines)
  vim.bo[buffer].modifiable = false
  vim.api.nvim_buf_clear_namespace(buffer, SPACE, 0, -1)
  for _, span in ipairs(open.drawing.spans) do
    vim.api.nvim_buf_set_extmark(buffer, SPACE, span.line - 1, span.from, {
      end_col = span.to,
      hl_group = span.group,
    })
  end
  keys.bind(buffer, open.drawing.actions, press, {
    later = M.put_aside,
    turn = M.turn,
  })
  vim.api.nvim_win_set_cursor(open.window, { 1, 0 })
  frame()
  watch()
end

--- The window is gone, by whomever: what it showed still waits.
local function closed()
  if not open then
    return
  end
  unwatch()
  vim.on_key(nil, KEYS)
  vim.api.nvim_clear_autocmds({ group = GROUP, buffer = open.buffer })
  vim.api.nvim_clear_autocmds({ group = GROUP, event = 'SafeState' })
  open = nil
end

local function watch_window()
  local buffer = open.buffer
  vim.api.nvim_create_autocmd('WinEnter', {
    group = GROUP,
    buffer = buffer,
    callback = function()
      if not is_focused() then
        return
      end
      typed = ''
      vim.on_key(function(_, by_hand)
        typed = by_hand or ''
      end, KEYS)
      open.arming:restart(now())
      watch()
      frame()
    end,
  })
  vim.api.nvim_create_autocmd('WinLeave', {
    group = GROUP,
    buffer = buffer,
    callback = function()
      vim.on_key(nil, KEYS)
      open.arming:stop()
      vim.schedule(function()
        if open then
          frame()
        end
      end)
    end,
  })
  vim.api.nvim_create_autocmd('SafeState', { group = GROUP, callback = rest })
  vim.api.nvim_create_autocmd('WinClosed', {
    group = GROUP,
    pattern = tostring(open.window),
    callback = function()
      local page = open and open.page
      closed()
      vim.schedule(function()
        if page and vim.api.nvim_tabpage_is_valid(page) then
          deck:put_aside()
        elseif page and deck:current() then
          -- It went with its tab page, which was not about it.
          M.show()
        end
      end)
    end,
  })
end

---@return boolean
local function open_window()
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].undolevels = -1
  local made, window = pcall(vim.api.nvim_open_win, buffer, false, {
    relative = 'editor',
    row = 0,
    col = 0,
    width = 12,
    height = 1,
    style = 'minimal',
    border = config.get().border,
    zindex = 250,
    -- Nothing else is told of it while somebody types elsewhere.
    noautocmd = true,
  })
  if not made then
    vim.api.nvim_buf_delete(buffer, { force = true })
    return false
  end
  appearance.apply(window)
  open = {
    window = window,
    buffer = buffer,
    page = vim.api.nvim_win_get_tabpage(window),
    drawing = { lines = {} },
    arming = Arming.new(0),
  }
  vim.bo[buffer].filetype = 'countersign'
  watch_window()
  return true
end

local function close_window()
  if not open then
    return
  end
  local window, before, focused = open.window, open.before, is_focused()
  closed()
  vim.api.nvim_clear_autocmds({ group = GROUP, event = 'WinClosed' })
  if vim.api.nvim_win_is_valid(window) then
    vim.api.nvim_win_close(window, true)
  end
  if focused and before and vim.api.nvim_win_is_valid(before) then
    vim.api.nvim_set_current_win(before)
  end
end

--- Shows a card: the one that is named, else the one that is shown, else the
--- first. Without a screen nothing is shown, and nothing is decided.
---@param id? string
---@param focus? boolean Whether the person asked for it.
---@return boolean shown
function M.show(id, focus)
  if deck:count() == 0 or not has_screen() then
    return false
  end
  -- A window belongs to one tab page.
  if open and open.page ~= vim.api.nvim_get_current_tabpage() then
    close_window()
  end
  local before = deck:current()
  local card = deck:choose(id)
  local is_new = not open or before ~= card
  if not open and not open_window() then
    -- Not possible just now, as in the command-line window.
    vim.defer_fn(function()
      if not open and deck:current() == card then
        M.show(card.id, focus)
      end
    end, 200)
    return false
  end
  if is_new then
    draw()
  else
    frame()
  end
  if focus and not is_focused() then
    open.before = vim.api.nvim_get_current_win()
    local mode = vim.api.nvim_get_mode().mode
    vim.api.nvim_set_current_win(open.window)
    -- A mapping may have come here from another mode.
    if not vim.startswith(mode, 'n') then
      vim.cmd.stopinsert()
    end
  end
  return true
end

--- Shows a card by itself: not over what is being read or waits as urgently,
--- and not if the person put it aside.
---@param id string
function M.offer(id)
  local card, shown = deck:all()[deck:index(id)], open and deck:current()
  if not card or deck:is_aside(id) then
    return
  end
  local gives_way = shown and not is_focused() and not shown.urgent and card.urgent
  if not shown or gives_way then
    M.show(id)
  end
end

--- Adds a card, or takes the place of the one of that id.
---@param card countersign.Card
function M.put(card)
  local is_known = deck:index(card.id)
  deck:put(card)
  if open and is_known and deck:current() == card then
    draw()
  elseif open then
    frame()
  end
end

--- A card is over. The next one takes its place, unarmed.
---@param id string
function M.remove(id)
  local current = deck:current()
  local removed, following = deck:remove(id)
  if not removed or not open then
    return
  elseif removed ~= current then
    frame()
  elseif following and (following.urgent or not removed.urgent) then
    deck:choose(following.id)
    draw()
  else
    close_window()
    if following then
      -- The person was done: what nobody waits for does not keep the focus.
      M.show(following.id)
    end
  end
end

--- The card looks different now.
---@param id string
function M.redraw(id)
  local current = deck:current()
  if open and current and current.id == id then
    draw()
  end
end

--- Shows the next card, or the one before.
---@param step integer
function M.turn(step)
  if open and deck:count() > 1 then
    deck:turn(step)
    draw()
  end
end

--- Closes the window; what it shows still waits.
function M.put_aside()
  deck:put_aside()
  close_window()
end

--- The id of the card that is on the screen, if one is.
---@return string?
function M.shown()
  local current = open and deck:current()
  return current and current.id or nil
end

--- Whether the window has the focus and takes a yes.
---@return boolean
function M.is_armed()
  return is_focused() and open.arming:is_armed()
end

---@return countersign.Card[]
function M.cards()
  return deck:all()
end

vim.api.nvim_create_autocmd('VimResized', {
  group = GROUP,
  callback = function()
    if open then
      draw()
    end
  end,
})

vim.api.nvim_create_autocmd('WinScrolled', {
  group = GROUP,
  callback = function()
    if open then
      look()
    end
  end,
})

vim.api.nvim_create_autocmd('TabEnter', {
  group = GROUP,
  callback = function()
    if open and deck:current() then
      M.show()
    end
  end,
})

return M
