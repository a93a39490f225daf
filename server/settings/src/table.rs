//! The settings, one descriptor each: the only place that knows their names,
//! types and defaults.

use countersign_core::model::{InstructionRole, Provider, StructuredOutput};
use countersign_core::rules::RuleList;

use crate::descriptor::{Descriptor, Direction, Fixed, Kind, Merge};
use crate::telemetry::ExportProtocol;
use crate::text::TextRule;

/// The names, for the places that ask for one setting.
pub(crate) mod key {
    pub(crate) const ALLOW: &str = "permissions.allow";
    pub(crate) const ASK: &str = "permissions.ask";
    pub(crate) const DENY: &str = "permissions.deny";
    pub(crate) const HINTS_ALLOW: &str = "permissions.autoMode.hints.allow";
    pub(crate) const HINTS_SOFT_DENY: &str = "permissions.autoMode.hints.softDeny";
    pub(crate) const HINTS_HARD_DENY: &str = "permissions.autoMode.hints.hardDeny";
    pub(crate) const HINTS_DENY: &str = "permissions.autoMode.hints.deny";
    pub(crate) const ENVIRONMENT: &str = "permissions.autoMode.environment";
    pub(crate) const CLASSIFY_ALL_SHELL: &str = "permissions.autoMode.classifyAllShell";
    pub(crate) const REVIEW_CREDENTIAL_READS: &str = "permissions.autoMode.reviewCredentialReads";
    pub(crate) const RUN_EDITED_CODE: &str = "permissions.autoMode.runEditedCode";
    pub(crate) const STATIC_ANALYSIS: &str = "permissions.autoMode.staticAnalysis";
    pub(crate) const LIMIT_BLOCK: &str = "permissions.autoMode.denialLimits.consecutiveBlock";
    pub(crate) const LIMIT_UNAVAILABLE: &str =
        "permissions.autoMode.denialLimits.consecutiveUnavailable";
    pub(crate) const LIMIT_TOTAL: &str = "permissions.autoMode.denialLimits.total";
    pub(crate) const MCP_FORWARDING: &str = "permissions.autoMode.mcp.forwardArguments";
    pub(crate) const PROVIDER: &str = "permissions.autoMode.classifier.provider";
    pub(crate) const BASE_URL: &str = "permissions.autoMode.classifier.baseUrl";
    pub(crate) const MODEL: &str = "permissions.autoMode.classifier.model";
    pub(crate) const FAST_MODEL: &str = "permissions.autoMode.classifier.fastModel";
    pub(crate) const STRUCTURED_OUTPUT: &str = "permissions.autoMode.classifier.structuredOutput";
    pub(crate) const INSTRUCTION_ROLE: &str = "permissions.autoMode.classifier.instructionRole";
    pub(crate) const API_KEY_ENV: &str = "permissions.autoMode.classifier.apiKeyEnv";
    pub(crate) const PROXY: &str = "permissions.autoMode.classifier.proxy";
    pub(crate) const CA_FILE: &str = "permissions.autoMode.classifier.caFile";
    pub(crate) const MAX_CONCURRENT: &str = "permissions.autoMode.classifier.maxConcurrent";
    pub(crate) const ON_UNAVAILABLE: &str = "permissions.autoMode.classifier.onUnavailable";
    pub(crate) const STAGE1: &str = "permissions.autoMode.classifier.timeouts.stage1Ms";
    pub(crate) const STAGE2: &str = "permissions.autoMode.classifier.timeouts.stage2Ms";
    pub(crate) const APPROVAL_MODE: &str = "tools.approvalMode";
    pub(crate) const ACKNOWLEDGED: &str = "ui.autoModeAcknowledged";
    pub(crate) const IMPORT: &str = "import";
    pub(crate) const PROTECTED_ADD: &str = "protectedPaths.add";
    pub(crate) const PROTECTED_REMOVE: &str = "protectedPaths.remove";
    pub(crate) const CONTEXT_FILES: &str = "contextFiles";
    pub(crate) const HOOKS_DENIED: &str = "hooks.PermissionDenied";
    pub(crate) const HOOKS_REQUEST: &str = "hooks.PermissionRequest";
    pub(crate) const HOOKS_NOTIFICATION: &str = "hooks.Notification";
    pub(crate) const HOOKS_START: &str = "hooks.SessionStart";
    pub(crate) const HOOKS_END: &str = "hooks.SessionEnd";
    pub(crate) const DISABLE_ALL_HOOKS: &str = "disableAllHooks";
    pub(crate) const RETENTION: &str = "journal.retentionDays";
    pub(crate) const MEGABYTES: &str = "journal.maxMegabytes";
    pub(crate) const TELEMETRY_ENABLED: &str = "telemetry.enabled";
    pub(crate) const TELEMETRY_ENDPOINT: &str = "telemetry.endpoint";
    pub(crate) const TELEMETRY_PROTOCOL: &str = "telemetry.protocol";
    pub(crate) const TELEMETRY_HEADERS_ENV: &str = "telemetry.headersEnv";
    pub(crate) const TELEMETRY_CA_FILE: &str = "telemetry.caFile";
    pub(crate) const TELEMETRY_INCLUDE_CONTENT: &str = "telemetry.includeContent";
}

const fn list(
    key: &'static str,
    kind: Kind,
    direction: Direction,
    merge: Merge,
    doc: &'static str,
) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind,
        default: Fixed::Nothing,
        malformed: Fixed::Nothing,
        merge,
        direction,
    }
}

/// What runs besides the guard, with the user's rights: of a workspace only
/// what a person accepted.
const fn hooks(key: &'static str, doc: &'static str) -> Descriptor {
    list(
        key,
        Kind::Hooks,
        Direction::Loosens,
        Merge::UnitedLists,
        doc,
    )
}

const fn flag(
    key: &'static str,
    strict: bool,
    default: bool,
    merge: Merge,
    direction: Direction,
    doc: &'static str,
) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind: Kind::Flag { strict },
        default: Fixed::Flag(default),
        malformed: Fixed::Flag(strict),
        merge,
        direction,
    }
}

const fn choice(
    key: &'static str,
    words: &'static [&'static str],
    default: Fixed,
    malformed: &'static str,
    merge: Merge,
    doc: &'static str,
) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind: Kind::Choice(words),
        default,
        malformed: Fixed::Choice(malformed),
        merge,
        direction: Direction::ByValue,
    }
}

const fn limit(key: &'static str, default: u64, doc: &'static str) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind: Kind::Count {
            least: 1,
            most: 10_000,
        },
        default: Fixed::Count(default),
        malformed: Fixed::Count(1),
        merge: Merge::MostRestrictive,
        direction: Direction::ByValue,
    }
}

const fn measure(
    key: &'static str,
    (least, default, most): (u64, u64, u64),
    doc: &'static str,
) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind: Kind::Count { least, most },
        default: Fixed::Count(default),
        malformed: Fixed::Count(default),
        merge: Merge::UserOnly,
        direction: Direction::Neutral,
    }
}

/// Something about the classifier's endpoint. Only the user and the machine
/// have a say in it, and a value that cannot be read is none: what is sent must
/// never go to another place, or be asked for in another way, than was meant.
const fn endpoint(key: &'static str, kind: Kind, default: Fixed, doc: &'static str) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind,
        default,
        malformed: Fixed::Unusable,
        merge: Merge::UserOnly,
        direction: Direction::Neutral,
    }
}

const PROVIDERS: &[&str] = &[
    Provider::OpenaiCompatible.as_str(),
    Provider::Anthropic.as_str(),
    Provider::Gemini.as_str(),
];

const STRUCTURED_OUTPUTS: &[&str] = &[
    StructuredOutput::JsonSchema.as_str(),
    StructuredOutput::ToolCall.as_str(),
    StructuredOutput::JsonObject.as_str(),
    StructuredOutput::Plain.as_str(),
];

const EXPORT_PROTOCOLS: &[&str] = &[
    ExportProtocol::HttpProtobuf.as_str(),
    ExportProtocol::Grpc.as_str(),
];

const INSTRUCTION_ROLES: &[&str] = &[
    InstructionRole::System.as_str(),
    InstructionRole::User.as_str(),
];

/// Every setting, in the order of the documentation.
pub const DESCRIPTORS: &[Descriptor] = &[
    list(
        key::ALLOW,
        Kind::Rules(RuleList::Allow),
        Direction::Loosens,
        Merge::UnitedLists,
        "Rules for calls that run without asking, as long as a rule vouches for every part of the call. See `docs/rules.md`.",
    ),
    list(
        key::ASK,
        Kind::Rules(RuleList::Ask),
        Direction::Tightens,
        Merge::UnitedLists,
        "Rules for calls that a person must approve each time. They win over `permissions.allow`.",
    ),
    list(
        key::DENY,
        Kind::Rules(RuleList::Deny),
        Direction::Tightens,
        Merge::UnitedLists,
        "Rules for calls that never run. They win over everything.",
    ),
    list(
        key::HINTS_ALLOW,
        Kind::Prose,
        Direction::Loosens,
        Merge::UnitedLists,
        "Sentences that describe to the classifier what is normal here. At most 50, of 200 characters each.",
    ),
    list(
        key::HINTS_SOFT_DENY,
        Kind::Prose,
        Direction::Tightens,
        Merge::UnitedLists,
        "Sentences that describe what the classifier blocks unless the user asked for exactly that. At most 50 together with `hints.deny`, of 200 characters each.",
    ),
    list(
        key::HINTS_HARD_DENY,
        Kind::Prose,
        Direction::Tightens,
        Merge::UnitedLists,
        "Sentences that describe what the classifier always blocks. At most 50, of 200 characters each.",
    ),
    list(
        key::HINTS_DENY,
        Kind::Prose,
        Direction::Tightens,
        Merge::UnitedLists,
        "Older name of `hints.softDeny`; counted after it.",
    ),
    list(
        key::ENVIRONMENT,
        Kind::Prose,
        Direction::Loosens,
        Merge::UnitedLists,
        "Facts about the surroundings for the classifier. At most 20, of 200 characters each.",
    ),
    flag(
        key::CLASSIFY_ALL_SHELL,
        true,
        false,
        Merge::MostRestrictive,
        Direction::ByValue,
        "Whether every shell command goes to the classifier, also those that rules allow.",
    ),
    flag(
        key::REVIEW_CREDENTIAL_READS,
        true,
        true,
        Merge::MostRestrictive,
        Direction::ByValue,
        "Whether reads of credential stores outside the workspace are reviewed instead of allowed.",
    ),
    choice(
        key::RUN_EDITED_CODE,
        &["review", "allow"],
        Fixed::Choice("review"),
        "review",
        Merge::MostRestrictive,
        "Whether running project tasks after an agent edited code is reviewed or allowed. With `allow`, code that an agent wrote runs unreviewed.",
    ),
    choice(
        key::STATIC_ANALYSIS,
        &["off", "read-only", "contained"],
        Fixed::Choice("contained"),
        "off",
        Merge::MostRestrictive,
        "What static analysis of shell commands may allow: commands whose effects are all contained, only those that read, or none.",
    ),
    limit(
        key::LIMIT_BLOCK,
        3,
        "After that many classifier blocks in a row the next call that would go to the classifier asks.",
    ),
    limit(
        key::LIMIT_UNAVAILABLE,
        2,
        "After the classifier gave no answer that many times in a row the next call that would go to it asks.",
    ),
    limit(
        key::LIMIT_TOTAL,
        20,
        "After that many blocks and unavailable answers in a session, in any mix, the next call that would go to the classifier asks.",
    ),
    endpoint(
        key::PROVIDER,
        Kind::Choice(PROVIDERS),
        Fixed::Choice(Provider::OpenaiCompatible.as_str()),
        "The interface that the classifier's endpoint speaks. `openai-compatible` is what OpenAI, DashScope, Ollama, vLLM, llama.cpp and LM Studio speak. See `docs/classifier.md`.",
    ),
    endpoint(
        key::BASE_URL,
        Kind::Text(TextRule::BaseUrl),
        Fixed::Nothing,
        "Where the interface begins, such as `http://localhost:11434/v1` for Ollama. Without user name, query and fragment. Not set: `https://api.openai.com/v1` for `openai-compatible`, `https://api.anthropic.com` for `anthropic`, `https://generativelanguage.googleapis.com` for `gemini`. With `http`, anybody on the way can read what is asked and forge the answer, so use it for your own machine only; together with `apiKeyEnv` it is refused for any other host.",
    ),
    endpoint(
        key::MODEL,
        Kind::Text(TextRule::Model),
        Fixed::Nothing,
        "The name of the model that judges calls. Without `model` and `fastModel` there is no classifier.",
    ),
    endpoint(
        key::FAST_MODEL,
        Kind::Text(TextRule::Model),
        Fixed::Nothing,
        "A model that is used in place of `model`.",
    ),
    endpoint(
        key::STRUCTURED_OUTPUT,
        Kind::Choice(STRUCTURED_OUTPUTS),
        Fixed::Choice(StructuredOutput::JsonSchema.as_str()),
        "How the form of the model's answer is enforced: by its JSON schema, by a tool that the model must call, by asking the endpoint for some JSON object, or by the instruction alone. `countersign doctor` finds out what an endpoint can do.",
    ),
    endpoint(
        key::INSTRUCTION_ROLE,
        Kind::Choice(INSTRUCTION_ROLES),
        Fixed::Choice(InstructionRole::System.as_str()),
        "The role in which the last instruction is given. `user` is for models that take no system message after the first one; then it stands at the end of the message that also quotes what the agent wrote.",
    ),
    endpoint(
        key::API_KEY_ENV,
        Kind::Text(TextRule::VariableName),
        Fixed::Nothing,
        "The name of the environment variable that holds the key, such as `OPENAI_API_KEY`. Never the key itself. Not set: no key is sent.",
    ),
    endpoint(
        key::PROXY,
        Kind::Text(TextRule::Proxy),
        Fixed::Nothing,
        "The proxy through which the endpoint is reached: `http://host:port`, `https://host:port` or `socks5://host:port`, without user name and password. Not set: the proxy that the environment of your editor names, in a server that the editor started; otherwise none.",
    ),
    endpoint(
        key::CA_FILE,
        Kind::Text(TextRule::CertificateFile),
        Fixed::Nothing,
        "A file of certificates (PEM) that are trusted besides those of the system. An absolute path, or one that begins with `~/`.",
    ),
    measure(
        key::MAX_CONCURRENT,
        (1, 16, 1_024),
        "How many questions may be at the endpoint at a time. The others wait, within their deadline.",
    ),
    choice(
        key::ON_UNAVAILABLE,
        &["block", "ask"],
        Fixed::Choice("block"),
        "block",
        Merge::MostRestrictive,
        "What happens when the classifier gives no answer.",
    ),
    measure(
        key::STAGE1,
        (1_000, 10_000, 600_000),
        "How long the first stage of the classifier may take with all its attempts, in milliseconds.",
    ),
    measure(
        key::STAGE2,
        (1_000, 30_000, 600_000),
        "How long the second stage of the classifier may take with all its attempts, in milliseconds.",
    ),
    list(
        key::MCP_FORWARDING,
        Kind::McpTools,
        Direction::Loosens,
        Merge::UserOnly,
        "MCP servers (`github` or `mcp__github`) and single tools (`mcp__github__create_issue`) whose arguments the classifier may see, cut to a bounded size. Of all others it sees the name only.",
    ),
    choice(
        key::APPROVAL_MODE,
        &["plan", "default", "auto-edit", "auto"],
        Fixed::Nothing,
        "default",
        Merge::Highest,
        "The mode in which sessions start. Not set: `auto` once `ui.autoModeAcknowledged` is true, else `default`. In an untrusted workspace `auto-edit` and `auto` act as `default`. `yolo` is no setting: a person confirms it in the editor, for one session.",
    ),
    flag(
        key::ACKNOWLEDGED,
        false,
        false,
        Merge::UserOnly,
        Direction::Loosens,
        "Whether the person has seen what auto mode does and chose it. Set it yourself, or let the notice of your editor do it.",
    ),
    list(
        key::IMPORT,
        Kind::Words(&["qwen", "claude"]),
        Direction::Neutral,
        Merge::UserOnly,
        "Agents whose permission lists and auto mode hints are read too, from the user's and the workspace's settings files of that agent. Nothing else of those files is used.",
    ),
    list(
        key::PROTECTED_ADD,
        Kind::Names,
        Direction::Tightens,
        Merge::UnitedLists,
        "Paths and patterns that are protected besides the built-in ones: no edit of them is waved through.",
    ),
    list(
        key::PROTECTED_REMOVE,
        Kind::Names,
        Direction::Loosens,
        Merge::UserOnly,
        "Built-in protected paths that are not protected. The guard's own files always are.",
    ),
    list(
        key::CONTEXT_FILES,
        Kind::Names,
        Direction::Tightens,
        Merge::UnitedLists,
        "Names of instruction files that agents are configured to read besides the well-known ones; they are protected.",
    ),
    hooks(
        key::HOOKS_DENIED,
        "Programs and addresses that are told of every call that the classifier blocks, or for which it gives no answer. See `docs/hooks.md`.",
    ),
    hooks(
        key::HOOKS_REQUEST,
        "Programs and addresses that are told of every call about which a person must be asked, and that may answer. Those of a workspace may only say no.",
    ),
    hooks(
        key::HOOKS_NOTIFICATION,
        "Programs and addresses that are told when something waits for a person, or is not as it should be.",
    ),
    hooks(
        key::HOOKS_START,
        "Programs and addresses that are told when a session of an agent begins or goes on.",
    ),
    hooks(
        key::HOOKS_END,
        "Programs and addresses that are told when a session of an agent ends.",
    ),
    flag(
        key::DISABLE_ALL_HOOKS,
        true,
        false,
        Merge::UserOnly,
        Direction::Neutral,
        "Whether user hooks are switched off. A value that cannot be read switches them off.",
    ),
    measure(
        key::RETENTION,
        (1, 90, 3_650),
        "How many days journal rows are kept. Older ones go when a session begins or ends; an anchor row keeps the rest verifiable.",
    ),
    measure(
        key::MEGABYTES,
        (1, 256, 65_536),
        "How large the state may become, in megabytes, before the journal's oldest rows are removed.",
    ),
    flag(
        key::TELEMETRY_ENABLED,
        false,
        true,
        Merge::UserOnly,
        Direction::Neutral,
        "Whether traces, metrics and logs may be exported. Even so nothing is, unless `telemetry.endpoint` or the `OTEL_*` variables of your editor's environment say where to. See `docs/telemetry.md`.",
    ),
    endpoint(
        key::TELEMETRY_ENDPOINT,
        Kind::Text(TextRule::BaseUrl),
        Fixed::Nothing,
        "The OpenTelemetry collector that traces, metrics and logs go to, such as `http://localhost:4318`. With `http/protobuf`, `/v1/traces`, `/v1/metrics` and `/v1/logs` are added. Then the endpoints, protocols and headers of the `OTEL_*` variables do not count.",
    ),
    endpoint(
        key::TELEMETRY_PROTOCOL,
        Kind::Choice(EXPORT_PROTOCOLS),
        Fixed::Choice(ExportProtocol::HttpProtobuf.as_str()),
        "The protocol of `telemetry.endpoint`.",
    ),
    endpoint(
        key::TELEMETRY_HEADERS_ENV,
        Kind::Text(TextRule::VariableName),
        Fixed::Nothing,
        "The name of an environment variable of your editor that holds headers for `telemetry.endpoint`, as `name=value,name=value`. Never the headers themselves. Not set: none are sent.",
    ),
    endpoint(
        key::TELEMETRY_CA_FILE,
        Kind::Text(TextRule::CertificateFile),
        Fixed::Nothing,
        "A file of certificates (PEM) that are trusted for `telemetry.endpoint` besides those of the system. An absolute path, or one that begins with `~/`.",
    ),
    flag(
        key::TELEMETRY_INCLUDE_CONTENT,
        false,
        false,
        Merge::UserOnly,
        Direction::Loosens,
        "Whether what was asked for (commands, paths, URLs) and why it was decided so (rules, the model's reason) is exported too, masked and cut to a bounded size. Without it no word of an agent, a rule or a model leaves this machine.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::descriptor::Given;

    #[test]
    fn names_are_unique_and_none_is_inside_another() {
        let names: BTreeSet<_> = DESCRIPTORS.iter().map(|setting| setting.key).collect();
        assert_eq!(names.len(), DESCRIPTORS.len());
        for name in &names {
            assert!(
                !names
                    .iter()
                    .any(|other| other.starts_with(&format!("{name}.")))
            );
        }
    }

    #[test]
    fn what_loosens_or_decides_by_value_is_never_more_lenient_when_malformed() {
        for setting in DESCRIPTORS {
            if setting.direction != Direction::ByValue || setting.default == Fixed::Nothing {
                continue;
            }
            let rank = |value| setting.kind.rank(&Given::Fixed(value));
            assert!(
                rank(setting.malformed) <= rank(setting.default),
                "{}",
                setting.key
            );
        }
    }
}
