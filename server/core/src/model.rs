//! The model that judges calls: where it is, how it is asked, and what is kept
//! of its answers. Plain data; `server/classifier` does the asking.

use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::decision::UnavailableReason;

/// How the classifier's model is reached. Comes from system and user settings
/// only; a workspace has no say in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClassifierSettings {
    /// The interface that the endpoint speaks.
    pub provider: Provider,
    /// Where the interface begins, without a slash at the end; `http` or
    /// `https`, without user, query and fragment.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// How the answer's form is enforced.
    pub structured_output: StructuredOutput,
    /// The role in which the last instruction is given.
    pub instruction_role: InstructionRole,
    /// The name of the environment variable that holds the key; none for
    /// endpoints that want no key. Never the key itself.
    pub api_key_env: Option<String>,
    /// The proxy's URL; none means the environment's in a server that an
    /// editor started, else no proxy.
    pub proxy: Option<String>,
    /// A file of certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<Utf8PathBuf>,
    /// How long the first stage may take with all its attempts, in
    /// milliseconds; at least 1,000.
    pub stage1_ms: u64,
    /// The same of the second stage.
    pub stage2_ms: u64,
    /// Most questions at the endpoint at a time; 1 to 1,024. The others wait
    /// within their deadline.
    pub max_concurrent: u32,
}

/// The interface of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Chat completions as OpenAI defines them.
    OpenaiCompatible,
    /// Anthropic's messages.
    Anthropic,
    /// Gemini's `generateContent`.
    Gemini,
}

impl Provider {
    /// Every interface.
    pub const ALL: [Self; 3] = [Self::OpenaiCompatible, Self::Anthropic, Self::Gemini];

    /// The name in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenaiCompatible => "openai-compatible",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    /// The name that OpenTelemetry's conventions for generative AI give it
    /// (`gen_ai.provider.name`).
    #[must_use]
    pub const fn telemetry_name(self) -> &'static str {
        match self {
            Self::OpenaiCompatible => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gcp.gemini",
        }
    }
}

/// How the form of an answer is enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StructuredOutput {
    /// The endpoint is given the JSON schema of the answer.
    JsonSchema,
    /// The answer is the arguments of a tool that the model must call.
    ToolCall,
    /// The endpoint is told to answer with some JSON object.
    JsonObject,
    /// Only the instruction asks for JSON.
    Plain,
}

impl StructuredOutput {
    /// Every style, the strictest first.
    pub const ALL: [Self; 4] = [
        Self::JsonSchema,
        Self::ToolCall,
        Self::JsonObject,
        Self::Plain,
    ];

    /// The name in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JsonSchema => "json-schema",
            Self::ToolCall => "tool-call",
            Self::JsonObject => "json-object",
            Self::Plain => "plain",
        }
    }
}

/// The role in which the last instruction, the only part in which the two
/// stages differ, is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstructionRole {
    /// As the system: what an agent writes can never stand there.
    System,
    /// At the end of the user's message, for models whose template takes no
    /// system message after the first.
    User,
}

impl InstructionRole {
    /// Every role.
    pub const ALL: [Self; 2] = [Self::System, Self::User];

    /// The name in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
        }
    }
}

/// The two stages of a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A quick look, made to block too much.
    Fast,
    /// A look with reasons, only after the first blocked; it may overturn.
    Thinking,
}

impl Stage {
    /// Both stages, in order.
    pub const ALL: [Self; 2] = [Self::Fast, Self::Thinking];

    /// The name in the journal and in telemetry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Thinking => "thinking",
        }
    }

    /// Most tokens of an answer.
    #[must_use]
    pub const fn max_output_tokens(self) -> u32 {
        match self {
            Self::Fast => 256,
            Self::Thinking => 4096,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is kept of a classifier's answer: the stage that said it last, and
/// every stage that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ModelRecord {
    /// `fast` or `thinking`: the stage whose word counts.
    pub stage: Option<String>,
    /// The model's name, as the endpoint gives it, else as it was asked for.
    pub model: Option<String>,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// The provider's id of the message.
    pub message_id: Option<String>,
    /// The model's name as it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<String>,
    /// Whether the answer was recorded earlier and is replayed.
    #[serde(default)]
    pub recorded: bool,
    /// The interface, as OpenTelemetry names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The stages that were asked, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageRecord>,
    /// Why there is no answer, for people: what failed and what to change.
    /// Without keys, at most 300 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What is kept of one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Which one.
    pub stage: Stage,
    /// What it said.
    pub verdict: StageVerdict,
    /// From the first attempt to the end of the last, in milliseconds; waiting
    /// in the queue is part of it.
    pub millis: u64,
    /// How often the endpoint was asked; 0 if it was not reached for want of
    /// time.
    pub attempts: u32,
    /// The provider's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The provider's id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Tokens that were read, with those from the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Those of them that came from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u64>,
    /// Tokens that were written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
}

/// What one stage said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageVerdict {
    /// Safe enough.
    Allow,
    /// Not safe.
    Block,
    /// No answer.
    Unavailable(UnavailableReason),
}

impl StageVerdict {
    /// The name in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Unavailable(reason) => reason.as_str(),
        }
    }
}
