--- Lines with highlights, put together from the top: what an agent wrote stands
--- behind a gutter that nothing in it can imitate.

local text = require('countersign.text')

---@class countersign.Page
---@field lines string[]
---@field spans countersign.Span[]
---@field private width integer
local Page = {}
Page.__index = Page

local GUTTER = '│ '
local GUTTER_CELLS = 2

---@param width integer Cells of a line.
---@return countersign.Page
function Page.new(width)
  return setmetatable({ lines = {}, spans = {}, width = width }, Page)
end

---@param line string
---@param group? string
function Page:line(line, group)
  self.lines[#self.lines + 1] = line
  if group and line ~= '' then
    self.spans[#self.spans + 1] = { line = #self.lines, from = 0, to = #line, group = group }
  end
end

function Page:blank()
  if #self.lines > 0 and self.lines[#self.lines] ~= '' then
    self:line('')
  end
end

--- Words of ours behind a label.
---@param label string
---@param words string
---@param group? string Of the label.
function Page:says(label, words, group)
  local begins = #self.lines + 1
  local joined = label == '' and words or (label .. ' ' .. words)
  for _, line in ipairs(text.paragraph(joined, self.width, '  ')) do
    self:line(line)
  end
  if label ~= '' then
    -- A narrow window breaks the label itself.
    local to = math.min(#label, #self.lines[begins])
    local span = { line = begins, from = 0, to = to, group = group or 'CountersignLabel' }
    self.spans[#self.spans + 1] = span
  end
end

--- One of several, behind a sign.
---@param sign string
---@param words string
---@param group string Of the sign.
function Page:item(sign, words, group)
  local begins = #self.lines + 1
  for _, line in ipairs(text.paragraph(words, self.width - 4, '')) do
    self:line('    ' .. line)
  end
  self.lines[begins] = '  ' .. sign .. self.lines[begins]:sub(4)
  self.spans[#self.spans + 1] = { line = begins, from = 2, to = 2 + #sign, group = group }
end

--- The whole of what an agent wrote, behind the gutter.
---@param content string
---@param marks? countersign.Mark[]
---@param group? fun(line: string): string? The highlight of a whole line.
function Page:quotes(content, marks, group)
  local lines, spans = text.wrap(content, self.width - GUTTER_CELLS, marks)
  local before = #self.lines
  for index, line in ipairs(lines) do
    self:line(GUTTER .. line)
    local at = before + index
    self.spans[#self.spans + 1] = { line = at, from = 0, to = #GUTTER, group = 'CountersignGutter' }
    local whole = group and group(line)
    if whole then
      self.spans[#self.spans + 1] =
        { line = at, from = #GUTTER, to = #GUTTER + #line, group = whole }
    end
  end
  for _, span in ipairs(spans) do
    self.spans[#self.spans + 1] = {
      line = before + span.line,
      from = span.from + #GUTTER,
      to = span.to + #GUTTER,
      group = span.group,
    }
  end
end

return Page
