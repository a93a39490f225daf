-- A screen of a terminal, as tmux prints it with its colours, as a picture: text
-- in an SVG file, so that a change of it can be read.

local svg = {}

local CELL_WIDTH, CELL_HEIGHT = 8.4, 18
local PADDING = 12
local FOREGROUND, BACKGROUND = '#e0e2ea', '#14161b'

-- The sixteen colours of a terminal.
local PALETTE = {
  [0] = '#07080d',
  '#ffc0b9',
  '#b3f6c0',
  '#fce094',
  '#a6dbff',
  '#ffcaff',
  '#8cf8f7',
  '#eef1f8',
  '#4f5258',
  '#ffc0b9',
  '#b3f6c0',
  '#fce094',
  '#a6dbff',
  '#ffcaff',
  '#8cf8f7',
  '#eef1f8',
}

-- What a sequence of numbers changes in the style.
local function apply(style, numbers)
  local at = 1
  while at <= #numbers do
    local number = numbers[at]
    local function colour()
      if numbers[at + 1] == 2 then
        local value = ('#%02x%02x%02x'):format(numbers[at + 2], numbers[at + 3], numbers[at + 4])
        at = at + 4
        return value
      end
      local value = PALETTE[numbers[at + 2]]
      at = at + 2
      return value
    end
    if number == 0 then
      style = {}
    elseif number == 1 then
      style.bold = true
    elseif number == 3 then
      style.italic = true
    elseif number == 4 then
      style.underline = true
    elseif number == 7 then
      style.reverse = true
    elseif number == 22 then
      style.bold = nil
    elseif number == 23 then
      style.italic = nil
    elseif number == 24 then
      style.underline = nil
    elseif number == 27 then
      style.reverse = nil
    elseif number == 38 then
      style.foreground = colour()
    elseif number == 48 then
      style.background = colour()
    elseif number == 58 then
      colour()
    elseif number == 39 then
      style.foreground = nil
    elseif number == 49 then
      style.background = nil
    elseif number >= 30 and number <= 37 then
      style.foreground = PALETTE[number - 30]
    elseif number >= 40 and number <= 47 then
      style.background = PALETTE[number - 40]
    elseif number >= 90 and number <= 97 then
      style.foreground = PALETTE[number - 82]
    end
    at = at + 1
  end
  return style
end

-- The pieces of a line, each with its style.
local function pieces(line, style)
  local found = {}
  local at = 1
  while at <= #line do
    local from, to, kind, codes = line:find('\27([%[%]])([%d;:]*)%a', at)
    local text = line:sub(at, (from or #line + 1) - 1)
    if text ~= '' then
      table.insert(found, { text = text, style = vim.deepcopy(style) })
    end
    if not from then
      break
    end
    if kind == '[' and line:sub(to, to) == 'm' then
      local numbers = {}
      for _, code in ipairs(vim.split(codes, ';', { plain = true })) do
        -- After a colon stand kinds of underlines, and their colours.
        local first, rest = code:match('^(%d*):?(.*)$')
        local number = tonumber(first) or 0
        if number == 4 and rest == '0' then
          number = 24
        end
        if number ~= 58 or rest == '' then
          table.insert(numbers, number)
        end
      end
      style = apply(style, numbers)
    end
    at = to + 1
  end
  return found, style
end

local function escaped(text)
  return (text:gsub('[&<>]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;' }))
end

-- The picture of a screen.
function svg.of(screen, columns, title)
  local lines = vim.split(screen:gsub('\n$', ''), '\n', { plain = true })
  local width = columns * CELL_WIDTH + 2 * PADDING
  local height = #lines * CELL_HEIGHT + 2 * PADDING
  local out = {
    ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img">'):format(
      width,
      height
    ),
    ('<title>%s</title>'):format(escaped(title)),
    ('<rect width="%g" height="%g" rx="8" fill="%s"/>'):format(width, height, BACKGROUND),
    '<g font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" '
      .. 'font-size="14" xml:space="preserve">',
  }
  local style = {}
  for number, line in ipairs(lines) do
    local found
    found, style = pieces(line, style)
    local column = 0
    local top = PADDING + (number - 1) * CELL_HEIGHT
    for _, piece in ipairs(found) do
      local cells = vim.api.nvim_strwidth(piece.text)
      local left, long = PADDING + column * CELL_WIDTH, cells * CELL_WIDTH
      local ink = piece.style.foreground or FOREGROUND
      local paper = piece.style.background
      if piece.style.reverse then
        ink, paper = paper or BACKGROUND, ink
      end
      if paper and paper ~= BACKGROUND then
        table.insert(
          out,
          ('<rect x="%g" y="%g" width="%g" height="%g" fill="%s"/>'):format(
            left,
            top,
            long,
            CELL_HEIGHT,
            paper
          )
        )
      end
      -- Some that draw it drop spaces at the ends.
      local words = vim.trim(piece.text)
      if words ~= '' then
        local look = (piece.style.bold and ' font-weight="bold"' or '')
          .. (piece.style.italic and ' font-style="italic"' or '')
          .. (piece.style.underline and ' text-decoration="underline"' or '')
        local indent = #piece.text:match('^ *')
        local text = '<text x="%g" y="%g" textLength="%g" fill="%s"%s>%s</text>'
        local from = left + indent * CELL_WIDTH
        local length = vim.api.nvim_strwidth(words) * CELL_WIDTH
        table.insert(out, text:format(from, top + 13.5, length, ink, look, escaped(words)))
      end
      column = column + cells
    end
  end
  vim.list_extend(out, { '</g>', '</svg>', '' })
  return table.concat(out, '\n')
end

return svg
