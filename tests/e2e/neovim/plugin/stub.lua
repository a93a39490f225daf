-- A server inside the editor that says what the test wants it to say, for
-- corners of the protocol that the real one has no reason to visit.

local stub = { requests = {}, notifications = {}, replies = {}, answers = {} }

local CAPABILITIES = {
  capabilities = {
    textDocumentSync = { openClose = true, change = 0 },
    hoverProvider = true,
    codeActionProvider = true,
    executeCommandProvider = { commands = {} },
  },
  serverInfo = { name = 'countersign', version = '0.0.0' },
}

local dispatchers
local closing = false
local count = 0

-- How the plugin starts it.
function stub.start(given)
  dispatchers = given
  closing = false
  return {
    request = function(method, params, callback)
      count = count + 1
      table.insert(stub.requests, { method = method, params = params })
      local reply = stub.replies[method]
      if method == 'initialize' then
        reply = CAPABILITIES
      elseif method == 'countersign/pendingApprovals' and not reply then
        reply = { approvals = {} }
      elseif method == 'countersign/resolveApproval' and not reply then
        reply = { decision = 'block' }
      end
      vim.schedule(function()
        if type(reply) == 'table' and reply.failure then
          callback(reply.failure, nil)
        else
          callback(nil, reply == nil and vim.NIL or reply)
        end
      end)
      return true, count
    end,
    notify = function(method, params)
      table.insert(stub.notifications, { method = method, params = params })
      if method == 'exit' then
        closing = true
        dispatchers.on_exit(0, 0)
      end
      return true
    end,
    is_closing = function()
      return closing
    end,
    terminate = function()
      closing = true
      dispatchers.on_exit(0, 0)
    end,
  }
end

-- The server sends a notification.
function stub.says(method, params)
  dispatchers.notification(method, params)
end

-- The server sends a request; its answer is kept.
function stub.asks(method, params)
  coroutine.wrap(function()
    local result = dispatchers.server_request(method, params)
    table.insert(stub.answers, result)
  end)()
end

-- What the plugin asked with a method.
function stub.asked(method)
  local found = {}
  for _, request in ipairs(stub.requests) do
    if request.method == method then
      table.insert(found, request.params or vim.NIL)
    end
  end
  return found
end

-- What the plugin told with a method.
function stub.told(method)
  local found = {}
  for _, one in ipairs(stub.notifications) do
    if one.method == method then
      table.insert(found, one.params)
    end
  end
  return found
end

return stub
