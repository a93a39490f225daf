--- The cards that wait, in order, and which one is on top. Pure.

---@class countersign.Action
---@field key string The key in the window.
---@field label string A word or two.
---@field run fun()
---@field guarded? boolean Whether it says yes, and so waits until the window is armed.

---@class countersign.Drawing
---@field title string
---@field lines string[]
---@field spans countersign.Span[]
---@field actions countersign.Action[] The first one is the default, and a no.

---@class countersign.Card
---@field id string
---@field urgent boolean Whether an agent waits for it.
---@field draw fun(width: integer): countersign.Drawing

---@class countersign.Deck
---@field private cards countersign.Card[]
---@field private top? string
---@field private aside table<string, true> Those that the person put aside: they do not open by themselves.
local Deck = {}
Deck.__index = Deck

---@return countersign.Deck
function Deck.new()
  return setmetatable({ cards = {}, aside = {} }, Deck)
end

---@param id? string
---@return integer?
function Deck:index(id)
  for index, card in ipairs(self.cards) do
    if card.id == id then
      return index
    end
  end
end

---@return countersign.Card[]
function Deck:all()
  return vim.list_slice(self.cards)
end

---@return integer
function Deck:count()
  return #self.cards
end

--- The card on top, if one is.
---@return countersign.Card?
function Deck:current()
  return self.cards[self:index(self.top)]
end

--- Which one the card on top is, and of how many: of those that agents wait for,
--- or of the others.
---@return integer number
---@return integer count
function Deck:position()
  local current = self:current()
  local number, count = 0, 0
  for _, card in ipairs(self.cards) do
    if current and card.urgent == current.urgent then
      count = count + 1
      number = card == current and count or number
    end
  end
  return number, count
end

--- Adds a card, or takes the place of the one of that id. Those that agents
--- wait for come first, in the order that they came.
---@param card countersign.Card
function Deck:put(card)
  local known = self:index(card.id)
  if known then
    self.cards[known] = card
    return
  end
  local at = #self.cards + 1
  if card.urgent then
    while at > 1 and not self.cards[at - 1].urgent do
      at = at - 1
    end
  end
  table.insert(self.cards, at, card)
end

--- Puts a card on top: the one that is named, else the one that is there, else
--- the first.
---@param id? string
---@return countersign.Card
function Deck:choose(id)
  local card = self.cards[self:index(id) or self:index(self.top) or 1]
  self.top = card.id
  self.aside[card.id] = nil
  return card
end

--- Puts the next card on top, or one before.
---@param step integer
function Deck:turn(step)
  local index = self:index(self.top) or 1
  self.top = self.cards[(index - 1 + step) % #self.cards + 1].id
end

--- The one on top shall not open by itself any more.
function Deck:put_aside()
  if self.top then
    self.aside[self.top] = true
  end
end

---@param id string
---@return boolean
function Deck:is_aside(id)
  return self.aside[id] == true
end

--- Takes a card away.
---@param id string
---@return countersign.Card? removed
---@return countersign.Card? following The one that comes after it, if it was on top.
function Deck:remove(id)
  local index = self:index(id)
  if not index then
    return nil
  end
  local removed = table.remove(self.cards, index)
  self.aside[id] = nil
  if self.top ~= id then
    return removed
  end
  self.top = nil
  local order = vim.list_slice(self.cards, index)
  vim.list_extend(order, vim.list_slice(self.cards, 1, index - 1))
  local following = vim.iter(order):find(function(card)
    return not self:is_aside(card.id)
  end)
  return removed, following
end

return Deck
