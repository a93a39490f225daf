--- The language server: one for each workspace, started with the first file that
--- is opened in it, and started again when it fell.

local approvals = require('countersign.approvals')
local config = require('countersign.config')
local documents = require('countersign.documents')
local notify = require('countersign.notify')
local protocol = require('countersign.protocol')
local questions = require('countersign.questions')
local request = require('countersign.request')
local rpc = require('countersign.rpc')
local status = require('countersign.status')

local M = {}

--- How often a server that fell is started again within a minute.
local MOST_STARTS = 3
local MINUTE = 60 * 1000

--- Servers that were told to end.
---@type table<integer, true>
local told_to_end = {}

--- When servers of a folder fell.
---@type table<string, integer[]>
local falls = {}

local has_warned = false

---@param method string
---@param handle fun(client: integer, params: any)
---@return lsp.Handler
local function checked(method, handle)
  return function(_, params, context)
    local value, problem = protocol.received(method, params)
    if problem then
      notify.failure(('the server sent %s that cannot be read: %s'):format(method, problem))
      return vim.NIL
    end
    handle(context.client_id, value)
    -- Of requests, this is the result.
    return vim.NIL
  end
end

---@return table<string, lsp.Handler>
local function handlers()
  local all = {
    ['countersign/approvalRequested'] = approvals.requested,
    ['countersign/approvalResolved'] = approvals.resolved,
    ['countersign/decision'] = request.decided,
    ['countersign/status'] = function(client, value)
      status.received(client, value)
      questions.offer(client, value)
      documents.status_changed()
    end,
    ['workspace/textDocumentContent/refresh'] = function(_, value)
      documents.refreshed(value.uri)
    end,
  }
  local made = {}
  for method, handle in pairs(all) do
    made[method] = checked(method, handle)
  end
  made['window/showMessageRequest'] = function(_, params, context)
    local thread, is_main = coroutine.running()
    if not thread or is_main then
      return vim.NIL
    end
    local answer, waits
    questions.of_server(context.client_id, params, function(item)
      answer = item
      if waits then
        coroutine.resume(thread, item)
      end
    end)
    if answer then
      return answer
    end
    waits = true
    return coroutine.yield()
  end
  return made
end

--- Commands whose text the server leaves to the plugin to show.
---@return table<string, fun(command: lsp.Command, context: table)>
local function commands()
  return {
    ['countersign.server.explain'] = function(command, context)
      documents.explain(context.client_id, command.arguments[1])
    end,
    ['countersign.server.grant'] = function(command, context)
      local id = command.arguments[1]
      questions.grant(context.client_id, id, function()
        -- It asks by itself.
        rpc.command(context.client_id, 'grant', { id }, function(_, problem)
          if problem then
            notify.failure(problem.message)
          end
        end)
      end)
    end,
    ['countersign.server.showChange'] = function(command, context)
      local id = command.arguments[1]
      if not approvals.show_diff(context.client_id, id) then
        documents.show_change(context.client_id, id)
      end
    end,
    ['countersign.server.showSession'] = function(command, context)
      local name = command.arguments[1]
      local current = status.of(context.client_id)
      for _, session in ipairs(current and current.sessions or {}) do
        if session.agent == name.agent and session.session == name.session then
          documents.open(session.uri)
          return
        end
      end
    end,
  }
end

--- Ends what belonged to a server.
---@param client integer
local function drop(client)
  approvals.drop(client)
  questions.drop(client)
  request.drop(client)
  status.drop(client)
end

--- Starts a server again that fell, unless it falls again and again.
---@param folder string?
local function fallen(folder)
  if not folder or vim.v.exiting ~= vim.NIL then
    return
  end
  local now = vim.uv.now()
  falls[folder] = vim.tbl_filter(function(time)
    return now - time < MINUTE
  end, falls[folder] or {})
  table.insert(falls[folder], now)
  if #falls[folder] > MOST_STARTS then
    notify.failure(
      'the server ended again and again; see :Countersign log, then :Countersign restart'
    )
    return
  end
  notify.warning('the server ended; it is started again')
  vim.defer_fn(function()
    M.start_all(folder)
  end, 500 * #falls[folder])
end

---@param client integer
---@param folder string?
local function ended(code, signal, client, folder)
  vim.schedule(function()
    drop(client)
    local was_told = told_to_end[client]
    told_to_end[client] = nil
    if not was_told and (code ~= 0 or signal ~= 0) then
      fallen(folder)
    end
  end)
end

--- Draws code lenses in the documents that have them.
---@param client integer
---@param buffer integer
local function draw_lenses(client, buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  local has_lenses = vim.startswith(name, 'countersign:/session/')
    or name:find('%.countersign/settings%.json$') ~= nil
  if not has_lenses then
    return
  end
  if vim.lsp.codelens.enable then
    vim.lsp.codelens.enable(true, { bufnr = buffer })
    return
  end
  vim.lsp.codelens.refresh({ bufnr = buffer })
  vim.api.nvim_create_autocmd({ 'BufEnter', 'BufWritePost' }, {
    group = vim.api.nvim_create_augroup(('countersign.lens.%d.%d'):format(client, buffer), {}),
    buffer = buffer,
    callback = function()
      vim.lsp.codelens.refresh({ bufnr = buffer })
    end,
  })
end

--- The configuration of the client, for `vim.lsp.start` and `vim.lsp.config`.
---@param folder? string The workspace; left out where Neovim finds it.
---@return vim.lsp.ClientConfig
function M.configuration(folder)
  local options = config.get()
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.experimental = vim.tbl_extend('force', capabilities.experimental or {}, {
    countersign = { kind = 'neovim', documents = true },
  })
  return {
    name = rpc.NAME,
    cmd = options.cmd,
    root_dir = folder,
    workspace_folders = folder and { { uri = vim.uri_from_fname(folder), name = folder } } or nil,
    capabilities = capabilities,
    handlers = handlers(),
    commands = commands(),
    init_options = { user = options.settings or vim.empty_dict() },
    on_init = function(client)
      approvals.fetch(client.id)
    end,
    on_attach = function(client, buffer)
      draw_lenses(client.id, buffer)
    end,
    on_exit = function(code, signal, client)
      ended(code, signal, client, folder)
    end,
  }
end

--- The workspace of a buffer.
---@param buffer integer
---@return string?
function M.workspace(buffer)
  local root = vim.fs.root(buffer, config.get().root_markers)
  return root and vim.uv.fs_realpath(root) or nil
end

---@param buffer integer
---@return boolean
local function is_file(buffer)
  return vim.api.nvim_buf_is_loaded(buffer)
    and vim.bo[buffer].buftype == ''
    and vim.api.nvim_buf_get_name(buffer) ~= ''
    and not vim.api.nvim_buf_get_name(buffer):find('^%a[%w+.-]+:/')
end

--- Whether the server can be started at all; says once why not.
---@return boolean
local function is_possible()
  -- Without a screen nobody can be asked here. An agent's own prompt can, as
  -- long as no editor claims the workspace.
  if #vim.api.nvim_list_uis() == 0 then
    return false
  end
  local command = config.get().cmd
  if type(command) == 'function' or vim.fn.executable(command[1]) == 1 then
    return true
  end
  if not has_warned then
    has_warned = true
    notify.warning(('`%s` is not found; see :checkhealth countersign'):format(command[1]))
  end
  return false
end

--- Starts the server of a buffer's workspace, or uses the one that runs.
---@param buffer integer
---@return integer? client
function M.start(buffer)
  local folder = is_file(buffer) and M.workspace(buffer) or nil
  if not folder or not is_possible() then
    return nil
  end
  return vim.lsp.start(M.configuration(folder), { bufnr = buffer })
end

--- A file was opened.
---@param buffer integer
function M.opened(buffer)
  if config.get().autostart and vim.api.nvim_buf_is_valid(buffer) then
    M.start(buffer)
  end
end

--- Starts the servers of every open file, or of those in one workspace.
---@param folder? string
---@return integer count How many files have one now.
function M.start_all(folder)
  local count = 0
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if is_file(buffer) and (not folder or M.workspace(buffer) == folder) then
      count = count + (M.start(buffer) and 1 or 0)
    end
  end
  return count
end

--- Ends every server.
---@param done? fun()
function M.stop_all(done)
  local clients = rpc.clients()
  for _, client in ipairs(clients) do
    told_to_end[client.id] = true
    rpc.stop(client.id, false)
  end
  if not done then
    return
  end
  local tries = 0
  local function look()
    tries = tries + 1
    local left = vim.iter(clients):any(function(client)
      return vim.lsp.get_client_by_id(client.id) ~= nil
    end)
    if left and tries < 40 then
      vim.defer_fn(look, 50)
      return
    end
    for _, client in ipairs(left and clients or {}) do
      rpc.stop(client.id, true)
    end
    done()
  end
  look()
end

--- Somebody can be asked here again.
function M.screen_came()
  if config.get().autostart then
    M.start_all()
  end
end

--- The last screen is gone: another surface, or the agent's own prompt, shall ask.
function M.screen_went()
  if #vim.api.nvim_list_uis() == 0 then
    M.stop_all()
  end
end

--- Ends every server and starts those of the open files.
function M.restart()
  falls, has_warned = {}, false
  M.stop_all(function()
    if M.start_all() == 0 then
      notify.warning('no file of a workspace is open, so no server was started')
    end
  end)
end

return M
