--- When a key may say yes: not before the whole text was on the screen, and not
--- before the person had half a second of rest in the window. Keys that were
--- typed ahead, that repeat, or that come while the editor was busy do nothing.
--- Pure: time and what is on the screen are passed in.

---@class countersign.Arming
---@field private total integer
---@field private shown boolean[]
---@field private missing integer
---@field private since? integer
---@field private ticked? integer
---@field private armed boolean
local Arming = {}
Arming.__index = Arming

--- How long the window must have had the focus, in milliseconds.
Arming.REST = 500

--- The longest time between two ticks, in milliseconds. After a longer one the
--- editor was busy, and keys may have been waiting.
Arming.LONGEST_GAP = 250

---@param total integer How many lines there are.
---@return countersign.Arming
function Arming.new(total)
  return setmetatable({ total = total, shown = {}, missing = total, armed = false }, Arming)
end

--- Those lines are on the screen, wholly.
---@param first integer
---@param last integer
function Arming:sees(first, last)
  for line = math.max(first, 1), math.min(last, self.total) do
    if not self.shown[line] then
      self.shown[line] = true
      self.missing = self.missing - 1
    end
  end
end

--- Begins to count anew: the window got the focus, or a key came too early.
---@param now integer Milliseconds of a clock that never goes back.
function Arming:restart(now)
  self.since, self.ticked, self.armed = now, now, false
end

--- The window lost the focus.
function Arming:stop()
  self.since, self.ticked, self.armed = nil, nil, false
end

--- The editor's event loop came by, with the window focused.
---@param now integer
function Arming:tick(now)
  if self.armed or not self.since then
    return
  end
  if now - self.ticked > Arming.LONGEST_GAP then
    self.since = now
  end
  self.ticked = now
  self.armed = self.missing == 0 and now - self.since >= Arming.REST
end

---@return boolean
function Arming:is_armed()
  return self.armed
end

--- How many lines were never on the screen.
---@return integer
function Arming:unseen()
  return self.missing
end

return Arming
