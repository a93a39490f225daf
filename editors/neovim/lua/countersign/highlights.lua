--- The highlight groups, linked to groups that every colour scheme has. A person
--- may define them; a definition of ours never takes the place of another.

local M = {}

M.LINKS = {
  CountersignNormal = 'NormalFloat',
  CountersignBorder = 'FloatBorder',
  CountersignTitle = 'FloatTitle',
  -- The gutter beside what an agent wrote.
  CountersignGutter = 'LineNr',
  -- A part of a call that is why a person is asked.
  CountersignAsks = 'DiagnosticUnderlineWarn',
  -- Another part that an effect comes from.
  CountersignEffect = 'DiagnosticUnderlineInfo',
  -- A character that is written as an escape.
  CountersignEscape = 'ErrorMsg',
  CountersignAdded = 'Added',
  CountersignRemoved = 'Removed',
  CountersignFine = 'DiagnosticOk',
  CountersignNotFine = 'DiagnosticWarn',
  CountersignLabel = 'Title',
  CountersignKey = 'Special',
  CountersignDisabled = 'Comment',
  -- The status line, by health; `Asks` while something waits.
  CountersignStatusOk = 'StatusLine',
  CountersignStatusAsks = 'WarningMsg',
  CountersignStatusWarning = 'WarningMsg',
  CountersignStatusError = 'ErrorMsg',
}

function M.define()
  for group, target in pairs(M.LINKS) do
    vim.api.nvim_set_hl(0, group, { link = target, default = true })
  end
end

return M
