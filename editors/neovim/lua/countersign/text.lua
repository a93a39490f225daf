--- What agents wrote, as people may see it: nothing in it can move the cursor,
--- reorder a line, hide, or be cut off.

local M = {}

--- Ranges of characters that show nothing, look like a space, or change how
--- others are shown; the server's list, and the scripts that are written from
--- right to left, which terminals reorder without any control character.
local DECEPTIVE = {
  { 0x80, 0xa0 },
  { 0xad, 0xad },
  { 0x34f, 0x34f },
  { 0x590, 0x8ff },
  { 0x115f, 0x1160 },
  { 0x1680, 0x1680 },
  { 0x17b4, 0x17b5 },
  { 0x180b, 0x180f },
  { 0x2000, 0x200f },
  { 0x2028, 0x202f },
  { 0x205f, 0x206f },
  { 0x2800, 0x2800 },
  { 0x3000, 0x3000 },
  { 0x3164, 0x3164 },
  { 0xfb1d, 0xfdff },
  { 0xfe00, 0xfe0f },
  { 0xfe70, 0xfeff },
  { 0xffa0, 0xffa0 },
  { 0xfff0, 0xfffb },
  { 0x10800, 0x10fff },
  { 0x1bca0, 0x1bca3 },
  { 0x1d173, 0x1d17a },
  { 0x1e800, 0x1efff },
  { 0xe0000, 0xe0fff },
}

--- Cells from one tab stop to the next.
local TAB = 4

---@param code integer
---@return boolean
local function is_deceptive(code)
  for _, range in ipairs(DECEPTIVE) do
    if code < range[1] then
      return false
    end
    if code <= range[2] then
      return true
    end
  end
  return false
end

--- The characters of a text, one by one. Bytes that are no UTF-8 come as one
--- character each, with no code.
---@param text string
---@return fun(): string?, integer?
local function characters(text)
  local at = 1
  return function()
    local first = text:byte(at)
    if not first then
      return nil
    end
    local length = first < 0x80 and 1
      or first >= 0xf0 and first < 0xf8 and 4
      or first >= 0xe0 and first < 0xf0 and 3
      or first >= 0xc2 and first < 0xe0 and 2
      or 0
    local character = text:sub(at, at + math.max(length, 1) - 1)
    if length == 0 or not character:find('^.[\128-\191]*$') or #character < length then
      at = at + 1
      return text:sub(at - 1, at - 1), nil
    end
    at = at + length
    local code = first
    if length > 1 then
      code = first % 2 ^ (7 - length)
      for index = 2, length do
        code = code * 64 + character:byte(index) % 64
      end
    end
    local is_overlong = length == 3 and code < 0x800 or length == 4 and code < 0x10000
    if is_overlong or code >= 0xd800 and code <= 0xdfff or code > 0x10ffff then
      at = at - length + 1
      return text:sub(at - 1, at - 1), nil
    end
    return character, code
  end
end

--- A character as it is shown. A character that is drawn over the one before
--- it (an accent, or many of them) is written out, too.
---@param character string
---@param code integer?
---@return string
local function shown(character, code)
  if not code then
    return ('<%02X>'):format(character:byte())
  elseif code == 0x0a then
    return '\\n'
  elseif code == 0x09 then
    return '\\t'
  elseif code == 0x0d then
    return '\\r'
  elseif code < 0x20 or code == 0x7f then
    return ('\\x%02x'):format(code)
  elseif code < 0x7f then
    return character
  end
  local is_drawn_over = vim.fn.strcharlen('a' .. character) == 1
  if is_deceptive(code) or is_drawn_over or vim.fn.strtrans(character) ~= character then
    return ('<U+%04X>'):format(code)
  end
  return character
end

--- The text on one line.
---@param text string
---@return string
function M.visible(text)
  if not text:find('[^\32-\126]') then
    return text
  end
  local parts = {}
  for character, code in characters(text) do
    parts[#parts + 1] = shown(character, code)
  end
  return table.concat(parts)
end

--- The text on one line of at most so many cells, with a mark where it was cut.
--- Never for what somebody approves.
---@param text string
---@param most integer
---@return string
function M.short(text, most)
  local line = M.visible(text)
  if vim.api.nvim_strwidth(line) <= most then
    return line
  end
  local parts, width = {}, 0
  for character in characters(line) do
    width = width + vim.api.nvim_strwidth(character)
    if width > most - 1 then
      break
    end
    parts[#parts + 1] = character
  end
  return table.concat(parts) .. '…'
end

---@class countersign.Mark
---@field start integer Where it begins, in UTF-16 code units of the text.
---@field finish integer Where it ends, likewise; not part of it.
---@field group string The highlight group.

---@class countersign.Span
---@field line integer The line, from 1.
---@field from integer The first byte, from 0.
---@field to integer The byte after the last one.
---@field group string The highlight group.

--- Puts spans that touch together.
---@param spans countersign.Span[]
---@param span countersign.Span
local function add(spans, span)
  local last = spans[#spans]
  local touches = last and last.line == span.line and last.to == span.from
  if touches and last.group == span.group then
    last.to = span.to
  else
    spans[#spans + 1] = span
  end
end

--- The marks by where they begin, those that begin earlier first.
---@param marks countersign.Mark[]
local function in_order(marks)
  local sorted = vim.list_slice(marks)
  table.sort(sorted, function(one, other)
    return one.start < other.start
  end)
  return sorted
end

--- Cuts a text into lines that fit, leaving nothing out: lines break anywhere,
--- because a break at a space would hide how many there are.
---@param text string
---@param width integer Cells of a line.
---@param marks? countersign.Mark[] Of marks that overlap, the last one holds.
---@return string[] lines
---@return countersign.Span[] spans
function M.wrap(text, width, marks)
  -- The longest escape has ten cells.
  width = math.max(width, 12)
  local sorted = in_order(marks or {})
  local function is_marked(from, to)
    return vim.iter(sorted):any(function(mark)
      return mark.start < to and mark.finish > from
    end)
  end
  local lines, spans = {}, {}
  local offset = 0
  for source in (text .. '\n'):gmatch('(.-)\n') do
    local ends = offset + #source
    local is_plain = not source:find('[^\32-\126]')
    if is_plain and not is_marked(offset, ends) then
      -- The way of nearly all text, and of megabytes of it.
      for from = 1, math.max(#source, 1), width do
        lines[#lines + 1] = source:sub(from, from + width - 1)
      end
      offset = ends + 1
    else
      local parts, bytes, cells = {}, 0, 0
      local function finish()
        lines[#lines + 1] = table.concat(parts)
        parts, bytes, cells = {}, 0, 0
      end
      for character, code in characters(source) do
        local display = code == 0x09 and ('→' .. (' '):rep((-cells - 1) % TAB))
          or shown(character, code)
        local display_width = vim.api.nvim_strwidth(display)
        if cells > 0 and cells + display_width > width then
          finish()
        end
        local group
        for _, mark in ipairs(sorted) do
          if mark.start > offset then
            break
          end
          group = offset < mark.finish and mark.group or group
        end
        group = group or (display ~= character and 'CountersignEscape' or nil)
        if group then
          local span = { line = #lines + 1, from = bytes, to = bytes + #display, group = group }
          add(spans, span)
        end
        parts[#parts + 1] = display
        bytes, cells = bytes + #display, cells + display_width
        offset = offset + ((code or 0) > 0xffff and 2 or 1)
      end
      finish()
      offset = offset + 1
    end
  end
  return lines, spans
end

--- Cuts words into lines of at most so many cells, at spaces where there are
--- any; each line but the first begins with `indent`. For words of ours.
---@param words string
---@param width integer
---@param indent? string
---@return string[]
function M.paragraph(words, width, indent)
  indent = indent or ''
  local lines, line = {}, nil
  local function room()
    return math.max(width - (#lines > 0 and #indent or 0), 8)
  end
  local function finish()
    lines[#lines + 1] = (#lines > 0 and indent or '') .. line
    line = nil
  end
  for word in M.visible(words):gmatch('%S+') do
    local joined = line and (line .. ' ' .. word) or word
    if line and vim.api.nvim_strwidth(joined) > room() then
      finish()
      joined = word
    end
    line = joined
    if vim.api.nvim_strwidth(line) > room() then
      local pieces = M.wrap(line, room())
      for index = 1, #pieces - 1 do
        line = pieces[index]
        finish()
      end
      line = pieces[#pieces]
    end
  end
  if line or #lines == 0 then
    line = line or ''
    finish()
  end
  return lines
end

--- The length of a text in UTF-16 code units.
---@param text string
---@return integer
function M.units(text)
  local count = 0
  for _, code in characters(text) do
    count = count + ((code or 0) > 0xffff and 2 or 1)
  end
  return count
end

--- The part of a text between two offsets in UTF-16 code units.
---@param text string
---@param start integer
---@param finish integer
---@return string
function M.slice(text, start, finish)
  local parts, offset = {}, 0
  for character, code in characters(text) do
    if offset >= finish then
      break
    end
    if offset >= start then
      parts[#parts + 1] = character
    end
    offset = offset + ((code or 0) > 0xffff and 2 or 1)
  end
  return table.concat(parts)
end

return M
