--- Requests and notifications to a server of ours, the same for every Neovim:
--- what is answered is checked before anybody sees it.

local protocol = require('countersign.protocol')

local M = {}

--- The name of our clients.
M.NAME = 'countersign'

local is_new = vim.fn.has('nvim-0.11') == 1

---@class countersign.Problem
---@field code? integer
---@field message string

--- Our clients, the oldest first.
---@return vim.lsp.Client[]
function M.clients()
  local found = vim.tbl_filter(function(client)
    -- Before 0.11 its methods are plain functions.
    return not (is_new and client:is_stopped() or not is_new and client.is_stopped())
  end, vim.lsp.get_clients({ name = M.NAME }))
  table.sort(found, function(one, other)
    return one.id < other.id
  end)
  return found
end

--- The client of a buffer, else the one of the folder that Neovim works in,
--- else the oldest.
---@param buffer? integer The current one if left out.
---@return vim.lsp.Client?
function M.client(buffer)
  buffer = buffer or vim.api.nvim_get_current_buf()
  local clients = M.clients()
  local folder = vim.fs.normalize(vim.fn.getcwd())
  local function attached(client)
    return vim.lsp.buf_is_attached(buffer, client.id)
  end
  local function contains(client)
    local root = client.config.root_dir
    return type(root) == 'string' and (folder == root or vim.startswith(folder, root .. '/'))
  end
  return vim.iter(clients):find(attached) or vim.iter(clients):find(contains) or clients[1]
end

---@param id integer
---@return vim.lsp.Client?
local function running(id)
  return vim.iter(M.clients()):find(function(client)
    return client.id == id
  end)
end

--- Asks a server.
---@param id integer The client.
---@param method string
---@param params? table
---@param answered fun(result: any, problem?: countersign.Problem)
function M.request(id, method, params, answered)
  local client = running(id)
  if not client then
    answered(nil, { message = 'the server does not run' })
    return
  end
  local function handler(problem, result)
    if problem then
      answered(nil, { code = problem.code, message = tostring(problem.message) })
      return
    end
    local checked, wrong = protocol.answered(method, result)
    if wrong then
      answered(nil, { message = ('the server answered %s wrongly: %s'):format(method, wrong) })
      return
    end
    answered(checked)
  end
  local sent
  if is_new then
    sent = client:request(method, params, handler)
  else
    sent = client.request(method, params, handler)
  end
  if not sent then
    answered(nil, { message = 'the server does not run' })
  end
end

--- Runs a command of the server.
---@param id integer The client.
---@param command string Without the prefix.
---@param arguments any[]
---@param answered fun(result: any, problem?: countersign.Problem)
function M.command(id, command, arguments, answered)
  local client = running(id)
  if not client then
    answered(nil, { message = 'the server does not run' })
    return
  end
  local params = { command = 'countersign.server.' .. command, arguments = arguments }
  local function handler(problem, result)
    answered(result, problem and { code = problem.code, message = tostring(problem.message) })
  end
  if is_new then
    client:request('workspace/executeCommand', params, handler)
  else
    client.request('workspace/executeCommand', params, handler)
  end
end

---@param id integer The client.
---@param method string
---@param params table
---@return boolean sent
function M.notify(id, method, params)
  local client = running(id)
  if not client then
    return false
  end
  local sent
  if is_new then
    sent = client:notify(method, params)
  else
    sent = client.notify(method, params)
  end
  return sent and true or false
end

---@param id integer
---@param force boolean
function M.stop(id, force)
  local client = running(id)
  if not client then
    return
  end
  if is_new then
    client:stop(force)
  else
    client.stop(force)
  end
end

return M
