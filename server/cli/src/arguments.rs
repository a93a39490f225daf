//! The command line for people.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};
use countersign_core::mode::ApprovalMode;
use countersign_core::state::Millis;

use crate::commands;

/// A permission guard for coding agents.
///
/// Exit codes: 0 done, 1 failure, 2 usage; `check` also 3 review, 4 block.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Keep settings, state and sockets below this folder, for tests.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<Utf8PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what the guard would decide about a shell command; runs nothing.
    Check(Check),
    /// Look whether everything the guard needs works, above all the classifier,
    /// and say what to change.
    Doctor {
        /// As JSON; asks nothing and changes nothing.
        #[arg(long)]
        json: bool,
        /// Look for the agents' settings below this folder in place of your home.
        #[arg(long, value_name = "DIR")]
        agents_home: Option<Utf8PathBuf>,
    },
    /// Measure how well the configured model judges labelled calls; runs none of
    /// them.
    Eval(Eval),
    /// Show the journal, follow it, verify it, or remove its oldest rows.
    Log(Log),
    /// Tell the whole story of one call, and how to have such a call decided
    /// otherwise.
    Explain(Explain),
    /// Count what was decided, by day, agent, tool and layer, and how long it
    /// took.
    Stats(Stats),
    /// List what user hooks can be on, what they are told, and which ones are
    /// configured here.
    Hooks {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Watch an agent session being decided: no editor, key or network.
    Demo,
    /// Trust the current workspace, and accept what its settings would loosen.
    Trust(Trust),
    /// Have an agent call the guard: write its hook into the agent's settings.
    /// Not for agents.
    Install(Install),
    /// Take the hook out of an agent's settings again. Not for agents.
    Uninstall(Uninstall),
    /// Say whether the agents' calls are guarded, from their own settings.
    Status(Status),
    /// Print the JSON schema of the settings files.
    Schema,
    /// Print the version.
    Version {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// The language server that editors start; speaks LSP on standard input and
    /// output.
    Lsp(Lsp),
    /// Stand between an editor and an agent that speak the Agent Client Protocol
    /// on standard input and output.
    Acp(Acp),
    /// The hook that agents call; reads the agent's JSON on standard input.
    ///
    /// `countersign hook <agent> --event <event> [--timeout <seconds>]
    /// [--approval-mode <mode>]`. Handled before this help is built.
    Hook,
}

/// `countersign check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Read JSON lines `{"id","command","cwd"?}` from standard input and write
    /// one `{"id","verdict","via","reason","effects","us"}` for each.
    #[arg(long, conflicts_with = "command")]
    pub(crate) batch: bool,
    /// Also ask the classifier where only a model can say. Nothing is recorded
    /// or counted; not for agents.
    #[arg(long, conflicts_with = "batch")]
    pub(crate) with_model: bool,
    /// The workspace of a batch; may not exist.
    #[arg(
        long,
        value_name = "DIR",
        requires = "batch",
        conflicts_with = "command"
    )]
    pub(crate) workspace: Option<Utf8PathBuf>,
    /// The command: one argument as the agent would send it, or several that
    /// are joined with spaces.
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "batch")]
    pub(crate) command: Vec<String>,
}

/// `countersign eval`
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The cases, one JSON object a line (docs/eval.md says how).
    #[arg(value_name = "CASES")]
    pub(crate) cases: Utf8PathBuf,
    /// Cases that are asked about at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,
    /// Add each answer to this file as it comes, as JSON lines; what is answered
    /// there already is not asked again.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,
    /// The stages to ask: the second follows a block of the first, as in a
    /// session. What the first alone would come to is told in any case.
    #[arg(long, value_name = "STAGE", default_value = "both", value_parser = ["both"])]
    pub(crate) stage: String,
    /// The price of a million tokens that are read.
    #[arg(long, value_name = "PRICE", requires = "price_output", value_parser = commands::price_argument)]
    pub(crate) price_input: Option<f64>,
    /// The price of those of them that come from the provider's cache; the same
    /// if it is left out.
    #[arg(long, value_name = "PRICE", requires = "price_input", value_parser = commands::price_argument)]
    pub(crate) price_cached: Option<f64>,
    /// The price of a million tokens that are written.
    #[arg(long, value_name = "PRICE", requires = "price_input", value_parser = commands::price_argument)]
    pub(crate) price_output: Option<f64>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write a Markdown report to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<Utf8PathBuf>,
}

/// `countersign log`
#[derive(Debug, Args)]
pub(crate) struct Log {
    #[command(subcommand)]
    pub(crate) action: Option<LogAction>,
    #[command(flatten)]
    pub(crate) filter: LogFilter,
}

/// What to do with the journal instead of showing it.
#[derive(Debug, Subcommand)]
pub(crate) enum LogAction {
    /// Check the hash chain: finds edited, missing and reordered rows.
    Verify {
        /// A head printed earlier (`SEQ:HASH`): also finds a shortened or
        /// replaced journal.
        #[arg(long, value_name = "SEQ:HASH", value_parser = commands::anchor)]
        anchor: Option<commands::Anchor>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove the oldest rows: those beyond the limits of the settings, or
    /// beyond what is said here. A row says that they were removed. Not for agents.
    Prune(Prune),
}

/// `countersign log prune`
#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// Rows from before this time: 90d, or 2026-11-21T09:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = commands::time_argument)]
    pub(crate) before: Option<Millis>,
    /// The oldest rows, until the state takes no more than this.
    #[arg(long, value_name = "MEGABYTES")]
    pub(crate) max_megabytes: Option<u64>,
    /// Only say how many rows would go.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `countersign explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The call: the beginning of its id as `countersign log` shows it, or the
    /// agent's id of it.
    #[arg(value_name = "CALL")]
    pub(crate) id: String,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `countersign stats`
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// From this time on: 30m, 12h, 7d, or 2026-11-21T09:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = commands::time_argument)]
    pub(crate) since: Option<Millis>,
    /// Up to this time, in the same forms.
    #[arg(long, value_name = "TIME", value_parser = commands::time_argument)]
    pub(crate) until: Option<Millis>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which rows of the journal to show.
#[derive(Debug, Args)]
pub(crate) struct LogFilter {
    /// Of this session id.
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// Of this agent.
    #[arg(long)]
    pub(crate) agent: Option<countersign_core::agent::Agent>,
    /// With this decision: allow, block or ask.
    #[arg(long, value_parser = ["allow", "block", "ask"])]
    pub(crate) decision: Option<String>,
    /// Allowed by this layer: rule, static, classifier, approval …
    #[arg(long, value_name = "LAYER", conflicts_with_all = ["decision", "reason"], value_parser = commands::via_argument)]
    pub(crate) via: Option<countersign_core::decision::Via>,
    /// With this reason: rule_denied, ask_rule, classifier_blocked …
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Where the word of this stage of the classifier counted: fast or thinking.
    #[arg(long, value_parser = commands::stage_argument)]
    pub(crate) stage: Option<countersign_core::model::Stage>,
    /// Of this kind: decision, answer, result, unguarded, problem …
    #[arg(long, conflicts_with = "via", value_parser = commands::kind_argument)]
    pub(crate) kind: Option<countersign_core::state::RecordKind>,
    /// Of this call, by its whole id.
    #[arg(long, value_name = "ID")]
    pub(crate) call: Option<String>,
    /// With this text, in whatever case, in what was asked for, the detail or
    /// an effect, as they are kept: masked.
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// Of this canonical tool, for example run_shell_command.
    #[arg(long)]
    pub(crate) tool: Option<String>,
    /// From this time on: 30m, 12h, 7d, or 2026-11-21T09:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = commands::time_argument)]
    pub(crate) since: Option<Millis>,
    /// Up to this time, in the same forms.
    #[arg(long, value_name = "TIME", value_parser = commands::time_argument)]
    pub(crate) until: Option<Millis>,
    /// At most this many rows, the newest.
    #[arg(long, short = 'n', default_value_t = 50, value_name = "COUNT")]
    pub(crate) limit: usize,
    /// Go on with every row that comes, whichever process writes it; ends with
    /// Ctrl-C.
    #[arg(long, short = 'f', conflicts_with = "until")]
    pub(crate) follow: bool,
    /// As JSON lines.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `countersign lsp`
#[derive(Debug, Args)]
pub(crate) struct Lsp {
    /// Speak on standard input and output, as it does anyway: editors say so.
    #[arg(long)]
    pub(crate) stdio: bool,
    /// The mode that sessions start in, in place of the settings': plan,
    /// default, auto-edit or auto.
    #[arg(long, value_name = "MODE", value_parser = commands::starting_mode)]
    pub(crate) approval_mode: Option<ApprovalMode>,
}

/// `countersign acp`
#[derive(Debug, Args)]
pub(crate) struct Acp {
    /// Which agent it is; known from the command's name where it is left out,
    /// generic where that says nothing.
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<countersign_core::agent::Agent>,
    /// The mode that sessions start in, in place of the settings': plan,
    /// default, auto-edit or auto.
    #[arg(long, value_name = "MODE", value_parser = commands::starting_mode)]
    pub(crate) approval_mode: Option<ApprovalMode>,
    /// The agent's command, after `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<std::ffi::OsString>,
}

/// `countersign trust`
#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// Show what is trusted, and what waits for consent, and change nothing.
    #[arg(long, conflicts_with = "revoke")]
    pub(crate) show: bool,
    /// Take the trust back.
    #[arg(long)]
    pub(crate) revoke: bool,
    /// The workspace; the current one where it is left out.
    #[arg(value_name = "DIR")]
    pub(crate) workspace: Option<Utf8PathBuf>,
}

/// Whose sessions a hook is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum HookScope {
    /// All of yours; no project is touched.
    User,
    /// Those in the project of the current folder, for everybody who has it.
    Project,
}

impl From<HookScope> for countersign_install::Scope {
    fn from(scope: HookScope) -> Self {
        match scope {
            HookScope::User => Self::User,
            HookScope::Project => Self::Project,
        }
    }
}

/// `countersign install`
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are flags, each the answer to a question of its own"
)]
pub(crate) struct Install {
    /// The agent.
    #[arg(value_name = "AGENT")]
    pub(crate) agent: countersign_core::agent::Agent,
    /// Whose sessions the hook is for.
    #[arg(long, value_enum, default_value = "user")]
    pub(crate) scope: HookScope,
    /// Only show what would change.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// How long the agent waits for a decision, and you may take to answer, in
    /// seconds; 600 if it is left out.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u32>,
    /// The mode that sessions start in: plan, default, auto-edit or auto.
    #[arg(long, value_name = "MODE", value_parser = commands::starting_mode)]
    pub(crate) mode: Option<ApprovalMode>,
    /// Take the endpoint, model and key variable that the agent uses for the
    /// classifier; no key is copied.
    #[arg(long)]
    pub(crate) classifier: bool,
    /// Do not ask about a classifier.
    #[arg(long, conflicts_with = "classifier")]
    pub(crate) no_classifier: bool,
    /// Have Codex trust exactly these hooks, as its `/hooks` would.
    #[arg(long)]
    pub(crate) trust_hooks: bool,
    /// The agent's version, where it cannot be found.
    #[arg(long, value_name = "VERSION")]
    pub(crate) agent_version: Option<String>,
    /// Write the agent's settings below this folder in place of your home.
    #[arg(long, value_name = "DIR")]
    pub(crate) agents_home: Option<Utf8PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `countersign uninstall`
#[derive(Debug, Args)]
pub(crate) struct Uninstall {
    /// The agent.
    #[arg(value_name = "AGENT")]
    pub(crate) agent: countersign_core::agent::Agent,
    /// Whose sessions the hook is for.
    #[arg(long, value_enum, default_value = "user")]
    pub(crate) scope: HookScope,
    /// Only show what would change.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Change the agent's settings below this folder in place of your home.
    #[arg(long, value_name = "DIR")]
    pub(crate) agents_home: Option<Utf8PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `countersign status`
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The agent; every one that is here where it is left out.
    #[arg(value_name = "AGENT")]
    pub(crate) agent: Option<countersign_core::agent::Agent>,
    /// Look for the agents' settings below this folder in place of your home.
    #[arg(long, value_name = "DIR")]
    pub(crate) agents_home: Option<Utf8PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
