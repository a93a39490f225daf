-- Messages as the server sends them, for tests that change one thing.

local examples = {}

local COUNTERS =
  { consecutiveBlock = 0, consecutiveUnavailable = 0, totalBlock = 0, totalUnavailable = 0 }
local LIMITS = { consecutiveBlock = 3, consecutiveUnavailable = 2, total = 20 }

function examples.approval(changes)
  return vim.tbl_deep_extend('force', {
    id = '5f434570994b37d63026984fe44acab8',
    nonce = 'b7e23ec29af22b0b4e41da31e868d572',
    digest = '2e67554abef7397f6c28db31f0bfe8f9bd8a2db14fabad964b93580cad5f4f72',
    agent = 'claude-code',
    session = '6f1c2d3e',
    tool = 'run_shell_command',
    cwd = '/home/ada/shop/api',
    workspace = '/home/ada/shop',
    mode = 'default',
    reason = 'approval_mode',
    why = 'the approval mode asks for this',
    detail = 'default mode asks for run_shell_command',
    text = 'cargo test -p api && git push',
    parts = {
      { text = 'cargo test -p api', fine = true, why = 'allow rule Bash(cargo test *) (user)' },
      { text = 'git push', fine = false, why = 'no static layer decides this' },
    },
    effects = { 'runs cargo', 'talks to other machines' },
    suggestions = {},
    counters = COUNTERS,
    limits = LIMITS,
    askedBefore = 0,
    askedAt = 1795266694941,
    deadline = 1795266752941,
    focus = false,
  }, changes or {})
end

function examples.session(changes)
  return vim.tbl_deep_extend('force', {
    agent = 'claude-code',
    session = '6f1c2d3e',
    uri = 'countersign:/session/claude-code/6f1c2d3e',
    mode = 'default',
    counters = COUNTERS,
    limits = LIMITS,
    pending = 0,
    workspace = '/home/ada/shop',
    started = 1795265794941,
    seen = 1795266694941,
    ended = false,
    paused = false,
    setAside = {},
    elsewhere = false,
  }, changes or {})
end

function examples.status(changes)
  return vim.tbl_deep_extend('force', {
    health = 'ok',
    degraded = {},
    mode = 'default',
    pending = 0,
    workspaces = {},
    sessions = {},
    classifier = { state = 'none' },
    version = '0.1.0',
  }, changes or {})
end

function examples.workspace(changes)
  return vim.tbl_deep_extend('force', {
    folder = '/home/ada/shop',
    trusted = true,
    mode = 'default',
    pending = {},
    withdrawn = {},
    removed = {},
    problems = 0,
  }, changes or {})
end

return examples
