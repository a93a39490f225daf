--- The configuration: `vim.g.countersign`, or what `setup` was called with, over
--- the defaults. Nothing has to be configured.

local M = {}

---@type countersign.Configuration
local DEFAULTS = {
  cmd = { 'countersign', 'lsp' },
  autostart = true,
  prompt = 'auto',
  root_markers = { '.countersign', '.git', '.jj', '.hg', '.claude', '.qwen', '.codex', '.gemini' },
  settings = nil,
  width = 88,
  border = 'rounded',
}

---@type table<string, fun(value: any): boolean>
local VALID = {
  cmd = function(value)
    return type(value) == 'function' or vim.islist(value) and type(value[1]) == 'string'
  end,
  autostart = function(value)
    return type(value) == 'boolean'
  end,
  prompt = function(value)
    return value == 'auto' or value == 'notify'
  end,
  root_markers = function(value)
    return type(value) == 'table' and vim.islist(value) and #value > 0
  end,
  settings = function(value)
    return type(value) == 'table'
  end,
  width = function(value)
    return type(value) == 'number' and value >= 40 and value % 1 == 0
  end,
  border = function(value)
    return type(value) == 'string' or type(value) == 'table'
  end,
}

---@type countersign.Configuration?
local of_setup

--- What is wrong in a configuration, in words.
---@param given any
---@return string[]
function M.problems(given)
  if given == nil then
    return {}
  elseif type(given) ~= 'table' then
    return { 'the configuration is no table' }
  end
  local problems = {}
  for name, value in pairs(given) do
    local valid = VALID[name]
    if not valid then
      problems[#problems + 1] = ('there is no option `%s`'):format(name)
    elseif not valid(value) then
      problems[#problems + 1] = ('the option `%s` cannot be %s'):format(name, vim.inspect(value))
    end
  end
  table.sort(problems)
  return problems
end

---@return any
local function given()
  if of_setup then
    return of_setup
  end
  local global = vim.g.countersign
  return type(global) == 'function' and global() or global
end

--- What is wrong in the one that is in force.
---@return string[]
function M.check()
  return M.problems(given())
end

--- Takes the place of `vim.g.countersign`.
---@param options? countersign.Configuration
function M.set(options)
  of_setup = options
end

--- The configuration that is in force. An option that is not valid has its
--- default.
---@return countersign.Configuration
function M.get()
  local configuration = vim.deepcopy(DEFAULTS)
  local options = given()
  if type(options) == 'table' then
    for name, value in pairs(options) do
      if VALID[name] and VALID[name](value) then
        configuration[name] = value
      end
    end
  end
  return configuration
end

return M
