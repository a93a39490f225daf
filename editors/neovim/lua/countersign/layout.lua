--- What an approval looks like. Pure: from an approval to lines and highlights.

local Page = require('countersign.page')
local text = require('countersign.text')

local M = {}

--- Cells of the part of a call that stands behind its effect.
local EXCERPT = 40

local VERBS = {
  run_shell_command = 'run',
  edit = 'edit',
  write_file = 'write',
  notebook_edit = 'edit',
  web_fetch = 'fetch',
  read_file = 'read',
}

---@param count integer
---@param one string
---@param many string
---@return string
local function counted(count, one, many)
  return ('%d %s'):format(count, count == 1 and one or many)
end

--- The counters against their caps.
---@param counters countersign.Counters
---@param limits countersign.Limits
---@return string
function M.denials(counters, limits)
  local words = {
    ('%d of %d blocks in a row'):format(counters.consecutiveBlock, limits.consecutiveBlock),
  }
  if counters.consecutiveUnavailable > 0 then
    local missing = '%d of %d missing answers in a row'
    words[#words + 1] =
      missing:format(counters.consecutiveUnavailable, limits.consecutiveUnavailable)
  end
  local total = counters.totalBlock + counters.totalUnavailable
  words[#words + 1] = ('%d of %d in the session'):format(total, limits.total)
  return table.concat(words, ', ')
end

--- A folder as it is told: inside the workspace by its name there.
---@param approval countersign.Approval
---@return string
local function place(approval)
  local workspace = approval.workspace
  if not workspace then
    return approval.cwd
  end
  local name = vim.fs.basename(workspace)
  if approval.cwd == workspace then
    return name
  elseif vim.startswith(approval.cwd, workspace .. '/') then
    return name .. approval.cwd:sub(#workspace + 1)
  end
  return ('%s, outside of %s'):format(approval.cwd, name)
end

--- Where something is highlighted in the text: as the server says, else where
--- the parts that are not fine stand in it.
---@param approval countersign.Approval
---@return countersign.Mark[]
function M.marks(approval)
  local marks = {}
  for _, mark in ipairs(approval.marks or {}) do
    local group = mark.asks and 'CountersignAsks' or 'CountersignEffect'
    marks[#marks + 1] = { start = mark.start, finish = mark['end'], group = group }
  end
  -- What asks is drawn over what does not.
  table.sort(marks, function(one, other)
    return one.group == 'CountersignEffect' and other.group == 'CountersignAsks'
  end)
  if #marks > 0 or #approval.parts < 2 then
    return marks
  end
  local from = 1
  for _, part in ipairs(approval.parts) do
    local first, last = approval.text:find(part.text, from, true)
    if first then
      from = last + 1
      if not part.fine then
        marks[#marks + 1] = {
          start = text.units(approval.text:sub(1, first - 1)),
          finish = text.units(approval.text:sub(1, last)),
          group = 'CountersignAsks',
        }
      end
    end
  end
  return marks
end

--- The parts of the text that an effect comes from, in short.
---@param approval countersign.Approval
---@param effect integer From 0.
---@return string?
local function cause(approval, effect)
  for _, mark in ipairs(approval.marks or {}) do
    if mark.effect == effect then
      return text.short(text.slice(approval.text, mark.start, mark['end']), EXCERPT)
    end
  end
end

--- Whether the text of an approval shows a change, line by line.
---@param approval countersign.Approval
---@return boolean
function M.is_change(approval)
  return vim.list_contains({ 'edit', 'write_file', 'notebook_edit' }, approval.tool)
end

---@param line string
---@return string?
local function change_group(line)
  local sign = line:sub(1, 1)
  return sign == '+' and 'CountersignAdded' or sign == '-' and 'CountersignRemoved' or nil
end

--- The title of its window.
---@param approval countersign.Approval
---@return string
function M.title(approval)
  local verb = VERBS[approval.tool] or ('use ' .. approval.tool)
  return text.short(('%s wants to %s'):format(approval.agent, verb), 60)
end

--- One line for a list; the window has the whole of it.
---@param approval countersign.Approval
---@return string
function M.line(approval)
  return ('%s: %s'):format(text.visible(approval.agent), text.short(approval.text, 60))
end

---@param page countersign.Page
---@param approval countersign.Approval
local function circumstances(page, approval)
  local where = { 'In ' .. place(approval), approval.mode .. ' mode' }
  if approval.subagent then
    where[#where + 1] = 'sub-agent ' .. approval.subagent
  end
  page:says('', table.concat(where, ', '))
  page:says('Denials:', M.denials(approval.counters, approval.limits))
  if approval.askedBefore > 0 then
    page:says('Asked:', counted(approval.askedBefore, 'time', 'times') .. ' before, the same')
  end
  local model = approval.model
  if model then
    local stages = vim.tbl_map(function(stage)
      return ('%s %s'):format(stage.stage, stage.verdict)
    end, model.stages or {})
    local words = { model.model or 'a model' }
    if #stages > 0 then
      words[#words + 1] = table.concat(stages, ', ')
    end
    words[#words + 1] = model.problem
    page:says('Judged by:', table.concat(words, ': '))
  end
end

--- The whole approval.
---@param approval countersign.Approval
---@param width integer
---@return string[] lines
---@return countersign.Span[] spans
function M.approval(approval, width)
  local page = Page.new(width)
  page:quotes(approval.text, M.marks(approval), M.is_change(approval) and change_group or nil)
  page:blank()
  local because = approval.why
  if approval.detail ~= '' and approval.detail ~= approval.why then
    because = because .. ': ' .. approval.detail
  end
  page:says('Asked because', because)
  if #approval.effects > 0 then
    page:says('What it does', '')
    for index, effect in ipairs(approval.effects) do
      local from = cause(approval, index - 1)
      local words = effect
      -- Many effects name the program already.
      if from and not effect:find(from:match('^%S*'), 1, true) then
        words = ('%s: %s'):format(effect, from)
      end
      page:item('•', words, 'CountersignNotFine')
    end
  end
  if #approval.parts > 1 then
    page:says('Part by part', '')
    for _, part in ipairs(approval.parts) do
      local group = part.fine and 'CountersignFine' or 'CountersignNotFine'
      local words = ('%s (%s)'):format(part.text, part.why)
      page:item(part.fine and '✓' or '?', words, group)
    end
  end
  page:blank()
  circumstances(page, approval)
  return page.lines, page.spans
end

--- A rule that may be remembered with the approval.
---@param approval countersign.Approval
---@param rule string
---@param scope countersign.Scope
---@param number integer
---@param width integer
---@return string[] lines
---@return countersign.Span[] spans
function M.remember(approval, rule, scope, number, width)
  local page = Page.new(width)
  page:says('', 'Approve this call')
  page:quotes(approval.text)
  page:says('', 'and from now on allow without asking, whatever matches')
  page:quotes(rule)
  page:blank()
  local scopes = {
    { 'session', 's', 'this session' },
    { 'project', 'p', "this workspace's settings file" },
    { 'user', 'u', 'your settings file, for every workspace' },
  }
  for _, one in ipairs(scopes) do
    local chosen = one[1] == scope
    local words = ('%s for %s'):format(one[2], one[3])
    page:item(
      chosen and '●' or '○',
      words,
      chosen and 'CountersignKey' or 'CountersignDisabled'
    )
  end
  if #approval.suggestions > 1 then
    page:blank()
    page:says('', ('Rule %d of %d, each is confirmed.'):format(number, #approval.suggestions))
  end
  return page.lines, page.spans
end

--- A question that is none about a call.
---@param words string[] Paragraphs of ours.
---@param entries string[] What it is about, each shown whole.
---@param width integer
---@return string[] lines
---@return countersign.Span[] spans
function M.question(words, entries, width)
  local page = Page.new(width)
  for _, paragraph in ipairs(words) do
    page:says('', paragraph)
  end
  if #entries > 0 then
    page:blank()
    page:quotes(table.concat(entries, '\n'))
  end
  return page.lines, page.spans
end

return M
