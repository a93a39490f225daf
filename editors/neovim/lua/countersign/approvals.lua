--- The approvals that wait, with their nonces: here, in memory, and nowhere else.
--- Nothing in this module answers but the keys of the window that it fills.

local config = require('countersign.config')
local diff = require('countersign.diff')
local layout = require('countersign.layout')
local notify = require('countersign.notify')
local panel = require('countersign.panel')
local protocol = require('countersign.protocol')
local rpc = require('countersign.rpc')

local M = {}

---@class countersign.Waiting
---@field client integer
---@field approval countersign.Approval
---@field card string The id of its card.
---@field answering boolean Whether an answer is under way.
---@field remember? { number: integer, accepted: string[], scope: countersign.Scope }

---@type table<string, countersign.Waiting>
local waiting = {}

--- The order in which they came.
local order = {} ---@type string[]

local function card_of(client, id)
  return ('approval %d %s'):format(client, id)
end

---@param card string
local function forget(card)
  waiting[card] = nil
  order = vim.tbl_filter(function(one)
    return one ~= card
  end, order)
  panel.remove(card)
end

--- Sends what the person chose.
---@param one countersign.Waiting
---@param choice countersign.Choice
---@param beside? table
local function resolve(one, choice, beside)
  if one.answering then
    return
  end
  one.answering = true
  local params = { id = one.approval.id, nonce = one.approval.nonce, choice = choice }
  params = vim.tbl_extend('error', params, beside or {})
  rpc.request(one.client, 'countersign/resolveApproval', params, function(result, problem)
    one.answering = false
    if not problem then
      if result.warning then
        notify.warning(result.warning)
      end
      forget(one.card)
    elseif problem.code == protocol.errors.TOO_SOON then
      notify.warning('that was too fast to have been read; answer again')
      panel.redraw(one.card)
    elseif problem.code == protocol.errors.NOT_FOUND then
      notify.info('it was answered or ended already')
      forget(one.card)
    elseif problem.code == protocol.errors.CHANGED then
      notify.warning('what was shown has changed; it is asked anew if it must be')
      forget(one.card)
    else
      notify.failure(problem.message)
      panel.redraw(one.card)
    end
  end)
end

---@param one countersign.Waiting
local function deny_with_message(one)
  vim.ui.input({ prompt = 'Deny, and tell the agent: ' }, function(message)
    if message and vim.trim(message) ~= '' then
      resolve(one, 'deny', { message = message })
    end
  end)
end

--- The rule was looked at: the next one, or the answer when there is none left.
---@param one countersign.Waiting
---@param accepts boolean
local function next_rule(one, accepts)
  local stage = one.remember
  local rules = one.approval.suggestions
  if accepts then
    stage.accepted[#stage.accepted + 1] = rules[stage.number]
  end
  if stage.number < #rules then
    stage.number = stage.number + 1
    panel.redraw(one.card)
  elseif #stage.accepted > 0 then
    one.remember = nil
    resolve(one, 'remember', { rules = stage.accepted, scope = stage.scope })
  else
    one.remember = nil
    panel.redraw(one.card)
  end
end

---@param one countersign.Waiting
---@return countersign.Action[]
local function remember_actions(one)
  local function choose(scope)
    return function()
      one.remember.scope = scope
      panel.redraw(one.card)
    end
  end
  local actions = {
    {
      key = 'b',
      label = 'back',
      run = function()
        one.remember = nil
        panel.redraw(one.card)
      end,
    },
    {
      key = 'a',
      label = 'approve and remember',
      guarded = true,
      run = function()
        next_rule(one, true)
      end,
    },
    { key = 's', label = 'session', run = choose('session') },
    { key = 'p', label = 'project', run = choose('project') },
    { key = 'u', label = 'user', run = choose('user') },
  }
  if #one.approval.suggestions > 1 then
    actions[#actions + 1] = {
      key = 'n',
      label = 'not this one',
      run = function()
        next_rule(one, false)
      end,
    }
  end
  return actions
end

---@param one countersign.Waiting
---@return countersign.Action[]
local function actions(one)
  local approval = one.approval
  local all = {
    {
      key = 'd',
      label = 'deny',
      run = function()
        resolve(one, 'deny')
      end,
    },
    {
      key = 'a',
      label = 'approve',
      guarded = true,
      run = function()
        resolve(one, 'approve')
      end,
    },
  }
  if #approval.suggestions > 0 then
    all[#all + 1] = {
      key = 'r',
      label = 'remember',
      run = function()
        one.remember = { number = 1, accepted = {}, scope = 'session' }
        panel.redraw(one.card)
      end,
    }
  end
  if vim.list_contains({ 'auto-edit', 'auto', 'yolo' }, approval.mode) then
    all[#all + 1] = {
      key = 's',
      label = 'approve + default mode',
      guarded = true,
      run = function()
        resolve(one, 'approve_and_switch_to_default')
      end,
    }
  end
  all[#all + 1] = {
    key = 'm',
    label = 'message',
    run = function()
      deny_with_message(one)
    end,
  }
  if layout.is_change(approval) then
    all[#all + 1] = {
      key = 'v',
      label = 'diff',
      run = function()
        diff.open(one.client, approval)
      end,
    }
  end
  all[#all + 1] = {
    key = 'e',
    label = 'explain',
    run = function()
      require('countersign.documents').explain(one.client, approval.id)
    end,
  }
  return all
end

---@param one countersign.Waiting
---@return countersign.Card
local function card(one)
  return {
    id = one.card,
    urgent = true,
    draw = function(width)
      local stage = one.remember
      local lines, spans
      if stage then
        local rule = one.approval.suggestions[stage.number]
        lines, spans = layout.remember(one.approval, rule, stage.scope, stage.number, width)
      else
        lines, spans = layout.approval(one.approval, width)
      end
      return {
        title = layout.title(one.approval),
        lines = lines,
        spans = spans,
        actions = stage and remember_actions(one) or actions(one),
      }
    end,
  }
end

--- Whether the person may be given another window: typing, or answering
--- Neovim itself, is not interrupted.
---@return boolean
local function is_at_rest()
  local mode = vim.api.nvim_get_mode()
  return not mode.blocking and mode.mode == 'n'
end

--- A person is asked.
---@param client integer
---@param approval countersign.Approval
function M.requested(client, approval)
  local id = card_of(client, approval.id)
  local known = waiting[id]
  local one = { client = client, approval = approval, card = id, answering = false }
  waiting[id] = one
  if not known then
    order[#order + 1] = id
  end
  -- What is on the screen stays as it is, with what was read of it.
  local is_same = known
    and known.approval.nonce == approval.nonce
    and known.approval.text == approval.text
  if is_same then
    one.remember, one.answering = known.remember, known.answering
    waiting[id] = known
  else
    panel.put(card(one))
  end
  if approval.focus then
    panel.show(id, is_at_rest())
  elseif config.get().prompt == 'notify' then
    if not known then
      notify.warning(layout.line(approval) .. ' (:Countersign pending)')
    end
  else
    panel.offer(id)
  end
end

--- An approval is over, however it ended.
---@param client integer
---@param resolved countersign.ApprovalResolved
function M.resolved(client, resolved)
  forget(card_of(client, resolved.id))
end

--- The server is gone: what it asked is answered by nobody.
---@param client integer
function M.drop(client)
  for _, one in pairs(vim.deepcopy(order)) do
    if waiting[one] and waiting[one].client == client then
      forget(one)
    end
  end
end

--- What waits, the oldest first, without what an answer needs.
---@return { card: string, id: string, line: string }[]
function M.list()
  return vim.tbl_map(function(id)
    local approval = waiting[id].approval
    return { card = id, id = approval.id, line = layout.line(approval) }
  end, order)
end

--- Denies one: that is a no, and needs no window.
---@param id string The card.
---@param message? string
function M.deny(id, message)
  local one = waiting[id]
  if one then
    resolve(one, 'deny', message and { message = message } or nil)
  end
end

--- Shows the change of one that waits.
---@param client integer
---@param id string The guard's id of the call.
---@return boolean shown
function M.show_diff(client, id)
  local one = waiting[card_of(client, id)]
  if one then
    diff.open(one.client, one.approval)
  end
  return one ~= nil
end

--- Fetches what waits, after the plugin began or began anew.
---@param client integer
function M.fetch(client)
  rpc.request(client, 'countersign/pendingApprovals', nil, function(result)
    for _, approval in ipairs(result and result.approvals or {}) do
      M.requested(client, approval)
    end
  end)
end

return M
