---@meta
--- The types of the protocol, for language servers and readers. What checks
--- them when the editor runs is `countersign.protocol`.

---@alias countersign.ModeName 'plan'|'default'|'auto-edit'|'auto'|'yolo'
---@alias countersign.Health 'ok'|'warning'|'error'
---@alias countersign.Scope 'session'|'project'|'user'
---@alias countersign.Choice 'deny'|'approve'|'remember'|'approve_and_switch_to_default'|'dismiss'

---@class countersign.Counters
---@field consecutiveBlock integer
---@field consecutiveUnavailable integer
---@field totalBlock integer
---@field totalUnavailable integer

---@class countersign.Limits
---@field consecutiveBlock integer
---@field consecutiveUnavailable integer
---@field total integer

---@class countersign.ModelStage
---@field stage string
---@field verdict string
---@field millis integer
---@field attempts integer
---@field requestId? string
---@field messageId? string
---@field inputTokens? integer
---@field cachedTokens? integer
---@field outputTokens? integer

---@class countersign.Model
---@field stage? string
---@field model? string
---@field requestId? string
---@field messageId? string
---@field provider? string
---@field stages? countersign.ModelStage[]
---@field problem? string

---@class countersign.Part
---@field text string
---@field fine boolean
---@field why string

---@class countersign.TextMark
---@field start integer
---@field end integer
---@field effect? integer
---@field asks boolean

---@class countersign.Approval
---@field id string
---@field nonce string
---@field digest string
---@field agent string
---@field session string
---@field subagent? string
---@field tool string
---@field cwd string
---@field workspace? string
---@field mode string
---@field reason string
---@field why string
---@field detail string
---@field text string
---@field parts countersign.Part[]
---@field effects string[]
---@field suggestions string[]
---@field marks? countersign.TextMark[]
---@field capKind? string
---@field counters countersign.Counters
---@field limits countersign.Limits
---@field askedBefore integer
---@field askedAt integer
---@field deadline integer
---@field model? countersign.Model
---@field focus boolean

---@class countersign.ApprovalResolved
---@field id string
---@field agent string
---@field session string
---@field subagent? string
---@field answer string
---@field decision? string

---@class countersign.Decision
---@field agent string
---@field session string
---@field subagent? string
---@field callId string
---@field id? string
---@field decision 'allow'|'block'|'none'
---@field reason string
---@field message string
---@field asked? string
---@field capKind? string
---@field counters? countersign.Counters
---@field model? countersign.Model

---@class countersign.SettingsEntry
---@field key string
---@field text string
---@field place? string

---@class countersign.Baseline
---@field commit? string
---@field head? string
---@field since integer
---@field by string

---@class countersign.Workspace
---@field folder string
---@field trusted boolean
---@field mode string
---@field pending countersign.SettingsEntry[]
---@field withdrawn countersign.SettingsEntry[]
---@field consentDigest? string
---@field removed countersign.SettingsEntry[]
---@field removalDigest? string
---@field problems integer
---@field baseline? countersign.Baseline

---@class countersign.SessionName
---@field agent string
---@field session string
---@field subagent? string

---@class countersign.Session : countersign.SessionName
---@field uri string
---@field mode string
---@field counters countersign.Counters
---@field limits countersign.Limits
---@field armed? string
---@field pending integer
---@field workspace? string
---@field started integer
---@field seen integer
---@field ended boolean
---@field paused boolean
---@field setAside string[]
---@field elsewhere boolean

---@class countersign.LastDecision : countersign.SessionName
---@field id string
---@field tool string
---@field decision string
---@field reason string
---@field time integer

---@class countersign.Classifier
---@field state 'none'|'ready'|'unavailable'
---@field provider? string
---@field model? string
---@field lastMillis? integer
---@field problem? string

---@class countersign.DegradedPart
---@field part string
---@field why string
---@field since integer

---@class countersign.Status
---@field health countersign.Health
---@field degraded string[]
---@field degradedParts? countersign.DegradedPart[]
---@field mode string
---@field autoAcknowledged? boolean
---@field pending integer
---@field workspaces countersign.Workspace[]
---@field sessions countersign.Session[]
---@field lastDecision? countersign.LastDecision
---@field classifier countersign.Classifier
---@field version string

---@class countersign.FileChange
---@field path string
---@field kind 'write'|'part'|'delete'
---@field before? string
---@field after? string

---@class countersign.CallResult
---@field text string
---@field grantable boolean
---@field changes countersign.FileChange[]

---@class countersign.SetModeResult
---@field result 'done'|'needsNotice'|'needsConfirmation'
---@field text? string
---@field setAside? string[]

---@class countersign.JournalRow
---@field seq integer
---@field time integer
---@field kind string
---@field key? countersign.SessionName
---@field call? string
---@field tool? string
---@field mode? string
---@field decision? string
---@field reason? string
---@field detail? string
---@field subject? string
---@field source? string

---@class countersign.Configuration
---@field cmd? string[] How the server is started; `{ 'countersign', 'lsp' }` if left out.
---@field autostart? boolean Whether opening a file of a workspace starts the server.
---@field prompt? 'auto'|'notify' Whether an approval opens its window by itself.
---@field root_markers? string[] What makes a folder a workspace.
---@field settings? table Settings of the person for all workspaces, as in `settings.json`.
---@field width? integer The widest that a window of the plugin gets, in cells.
---@field border? string The border of the windows, as in |nvim_open_win()|.

---@class countersign.Call
---@field tool string The tool: canonical for `generic`, else the agent's own name.
---@field input? table The tool's input.
---@field session string The conversation's id.
---@field agent? string `generic` if left out.
---@field subagent? string
---@field callId? string Made if left out.
---@field cwd? string Neovim's folder if left out.
---@field planMode? boolean
---@field timeoutMs? integer How long an answer is of use.
