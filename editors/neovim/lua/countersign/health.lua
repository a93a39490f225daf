--- `:checkhealth countersign`.

local config = require('countersign.config')
local rpc = require('countersign.rpc')
local status = require('countersign.status')

local M = {}

local health = vim.health

local function check_neovim()
  if vim.fn.has('nvim-0.10') == 1 then
    health.ok(('Neovim %s'):format(tostring(vim.version())))
  else
    health.error('Neovim 0.10 or newer is needed')
  end
  if vim.lsp.log.get_level and vim.lsp.log.get_level() <= vim.log.levels.DEBUG then
    health.warn('the log level of the language client is DEBUG or lower', {
      "It writes whole messages, approvals too. Use vim.lsp.set_log_level('WARN').",
    })
  end
end

local function check_configuration()
  local problems = config.check()
  for _, problem in ipairs(problems) do
    health.error(problem, { 'See :help countersign-configuration.' })
  end
  if #problems == 0 then
    health.ok('the configuration is valid')
  end
end

local function check_program()
  local command = config.get().cmd
  if type(command) ~= 'table' then
    health.info('the server is started by a function')
    return
  end
  local path = vim.fn.exepath(command[1])
  if path == '' then
    health.error(('`%s` is not found'):format(command[1]), {
      'Put it into a folder of $PATH, or its path into the option `cmd`.',
    })
    return
  end
  local result = vim.system({ path, 'version' }, { text = true, timeout = 10000 }):wait()
  local version = vim.trim((result.stdout or ''):match('^[^\n]*') or '')
  if result.code == 0 then
    health.ok(('%s: %s'):format(path, version))
  else
    health.error(('%s does not tell its version'):format(path))
  end
end

local function check_servers()
  local clients = rpc.clients()
  if #clients == 0 then
    health.warn('no server runs', {
      'Open a file below a folder that has one of these: '
        .. table.concat(config.get().root_markers, ', '),
    })
    return
  end
  for _, client in ipairs(clients) do
    local current = status.of(client.id)
    local folder = client.config.root_dir or '?'
    if not current then
      health.warn(('the server of %s has said nothing yet'):format(folder))
    elseif current.health == 'ok' then
      health.ok(('the server of %s is well, in %s mode'):format(folder, current.mode))
    else
      local report = current.health == 'error' and health.error or health.warn
      report(('the server of %s: %s'):format(folder, current.health), current.degraded)
    end
    for _, workspace in ipairs(current and current.workspaces or {}) do
      if not workspace.trusted then
        health.info(workspace.folder .. ' is not trusted; the looser modes are refused there')
      end
    end
  end
end

function M.check()
  health.start('countersign: editor')
  check_neovim()
  check_configuration()
  health.start('countersign: program')
  check_program()
  health.start('countersign: servers')
  check_servers()
end

return M
