//! Endpoints of one interface differ in what they refuse: this is what a
//! request leaves out or adds for them, guessed from the settings and learned
//! from what the endpoint says.

use countersign_core::model::{ClassifierSettings, Provider};
use url::Url;

/// How little a model is told to think before it answers. Thoughts count
/// against the tokens of the answer, of which the first stage has 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Thinking {
    /// Nothing is said of it.
    #[default]
    Unsaid,
    /// OpenAI-compatible: `reasoning_effort`, and for servers of open models
    /// `chat_template_kwargs`.
    Effort {
        /// The value of `reasoning_effort`.
        effort: Option<&'static str>,
        /// Whether the template is told, too.
        template: bool,
    },
    /// DashScope: `enable_thinking: false`.
    Flag,
    /// Anthropic: `thinking: {type: disabled}`.
    Disabled,
    /// Gemini 2.5: `thinkingBudget`, in tokens.
    Budget(u32),
    /// Gemini 3: `thinkingLevel`; Anthropic: `effort`, for models that cannot
    /// be kept from thinking.
    Level(&'static str),
}

/// What is particular to an endpoint and model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Whether the limit is called `max_completion_tokens` and not
    /// `max_tokens`, which most servers know and new models of OpenAI refuse.
    pub(crate) completion_tokens: bool,
    /// Whether a temperature is sent; reasoning models refuse it.
    pub(crate) temperature: bool,
    /// What is said of thinking.
    pub(crate) thinking: Thinking,
    /// How often something was learned.
    lessons: u8,
}

/// Most that is learned of an endpoint: it can refuse by turns for ever.
const LESSONS: u8 = 6;

/// What an endpoint let know about how it wants to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hint<'a> {
    /// It refused the request; the parameter if it named one, and its words.
    Refused {
        /// The parameter that the error names in a field of its own.
        parameter: Option<&'a str>,
        /// The error's text.
        said: &'a str,
    },
    /// The answer ended at the limit, and the model had thought.
    ThoughtTooLong,
}

impl Dialect {
    /// What is likely for the settings' endpoint and model.
    pub(crate) fn guess(settings: &ClassifierSettings) -> Self {
        let model = settings.model.to_ascii_lowercase();
        // Gateways put the maker's name before it.
        let model = model.rsplit('/').next().unwrap_or_default();
        let mut dialect = Self {
            completion_tokens: false,
            temperature: true,
            thinking: Thinking::Unsaid,
            lessons: 0,
        };
        match settings.provider {
            Provider::OpenaiCompatible => {
                if is_openai(settings) {
                    dialect.completion_tokens = true;
                    if let Some(effort) = openai_effort(model) {
                        dialect.temperature = false;
                        dialect.thinking = Thinking::Effort {
                            effort: Some(effort),
                            template: false,
                        };
                    }
                } else if model.contains("gpt-oss") {
                    // It always thinks, and knows no less than this.
                    dialect.thinking = Thinking::Effort {
                        effort: Some("low"),
                        template: false,
                    };
                } else if thinks_unasked(model) {
                    dialect.thinking = quiet(settings);
                }
            }
            Provider::Anthropic => {
                dialect.temperature = takes_temperature(model);
                if ["claude-fable", "claude-mythos"]
                    .iter()
                    .any(|name| model.starts_with(name))
                {
                    dialect.thinking = Thinking::Level("low");
                }
            }
            Provider::Gemini => {
                dialect.thinking = if model.starts_with("gemini-2.5-flash") {
                    Thinking::Budget(0)
                } else if model.starts_with("gemini-2.5-pro") {
                    Thinking::Budget(LEAST_BUDGET)
                } else if model.starts_with("gemini-3") {
                    Thinking::Level(if model.contains("flash") {
                        "minimal"
                    } else {
                        "low"
                    })
                } else {
                    Thinking::Unsaid
                };
            }
        }
        dialect
    }

    /// The dialect after a hint, if the hint says what to change.
    pub(crate) fn learn(self, settings: &ClassifierSettings, hint: Hint<'_>) -> Option<Self> {
        if self.lessons >= LESSONS {
            return None;
        }
        let mut learned = match hint {
            Hint::ThoughtTooLong => self.quieter(settings)?,
            Hint::Refused { parameter, said } => {
                self.without(settings, refused(parameter, said)?)?
            }
        };
        learned.lessons = self.lessons.saturating_add(1);
        Some(learned)
    }

    fn quieter(mut self, settings: &ClassifierSettings) -> Option<Self> {
        self.thinking = match (settings.provider, self.thinking) {
            (Provider::OpenaiCompatible, Thinking::Unsaid) => quiet(settings),
            (Provider::Anthropic, Thinking::Unsaid) => Thinking::Disabled,
            (Provider::Gemini, Thinking::Unsaid) => Thinking::Budget(0),
            (Provider::Gemini, Thinking::Level("low")) => Thinking::Level("minimal"),
            _ => return None,
        };
        Some(self)
    }

    fn without(mut self, settings: &ClassifierSettings, refused: Refused) -> Option<Self> {
        let openai = settings.provider == Provider::OpenaiCompatible;
        match (refused, self.thinking) {
            (Refused::MaxTokens, _) if openai && !self.completion_tokens => {
                self.completion_tokens = true;
            }
            (Refused::MaxCompletionTokens, _) if openai && self.completion_tokens => {
                self.completion_tokens = false;
            }
            (Refused::Temperature, _) if self.temperature => self.temperature = false,
            (Refused::EnableThinking, thinking) if openai && thinking != Thinking::Flag => {
                self.thinking = Thinking::Flag;
            }
            (
                Refused::Effort,
                Thinking::Effort {
                    effort: Some(effort),
                    template,
                },
            ) => {
                // Older reasoning models of OpenAI know `minimal` or `low` only.
                let effort = match effort {
                    "none" if is_openai(settings) => Some("minimal"),
                    "minimal" => Some("low"),
                    _ => None,
                };
                self.thinking = if effort.is_none() && !template {
                    Thinking::Unsaid
                } else {
                    Thinking::Effort { effort, template }
                };
            }
            (
                Refused::Template,
                Thinking::Effort {
                    effort,
                    template: true,
                },
            ) => {
                self.thinking = match effort {
                    None => Thinking::Unsaid,
                    effort => Thinking::Effort {
                        effort,
                        template: false,
                    },
                };
            }
            (Refused::Thinking, Thinking::Disabled) => self.thinking = Thinking::Level("low"),
            (Refused::Thinking, Thinking::Budget(0)) => {
                self.thinking = Thinking::Budget(LEAST_BUDGET);
            }
            (Refused::Thinking, Thinking::Budget(_)) => self.thinking = Thinking::Level("minimal"),
            (Refused::Thinking, Thinking::Level("minimal")) => {
                self.thinking = Thinking::Level("low");
            }
            (Refused::Thinking | Refused::Effort, Thinking::Level(_)) => {
                self.thinking = Thinking::Unsaid;
            }
            _ => return None,
        }
        Some(self)
    }
}

/// Fewest tokens that Gemini 2.5 Pro can be told to think.
const LEAST_BUDGET: u32 = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    MaxTokens,
    MaxCompletionTokens,
    Temperature,
    EnableThinking,
    Effort,
    Template,
    Thinking,
}

/// The parameter that an error is about: the one it names in its field, else
/// the first in its text, because the text goes on with what to use instead.
fn refused(parameter: Option<&str>, said: &str) -> Option<Refused> {
    const NAMES: [(&str, Refused); 11] = [
        ("max_tokens", Refused::MaxTokens),
        ("max_completion_tokens", Refused::MaxCompletionTokens),
        ("temperature", Refused::Temperature),
        ("enable_thinking", Refused::EnableThinking),
        ("enable thinking", Refused::EnableThinking),
        ("reasoning_effort", Refused::Effort),
        ("think value", Refused::Effort),
        ("chat_template_kwargs", Refused::Template),
        ("thinking", Refused::Thinking),
        ("reasoning", Refused::Effort),
        ("effort", Refused::Effort),
    ];
    let first = |text: &str| {
        let text = text.to_ascii_lowercase();
        NAMES
            .iter()
            .enumerate()
            .filter_map(|(order, (name, refused))| Some((text.find(name)?, order, *refused)))
            .min_by_key(|(at, order, _)| (*at, *order))
            .map(|(_, _, refused)| refused)
    };
    parameter.and_then(first).or_else(|| first(said))
}

/// How a model of an OpenAI-compatible endpoint is told not to think.
fn quiet(settings: &ClassifierSettings) -> Thinking {
    if is_host(settings, "aliyuncs.com") {
        Thinking::Flag
    } else {
        Thinking::Effort {
            effort: Some("none"),
            template: !is_openai(settings),
        }
    }
}

/// The least effort of OpenAI's reasoning models; none for others.
fn openai_effort(model: &str) -> Option<&'static str> {
    if model.starts_with("gpt-5.") {
        Some("none")
    } else if model.starts_with("gpt-5") {
        Some("minimal")
    } else if ["o1", "o3", "o4"]
        .iter()
        .any(|name| model.starts_with(name))
    {
        Some("low")
    } else {
        None
    }
}

/// Whether one of Anthropic's models takes a temperature: those before Opus 4.7
/// and the fifth generation do. Other makers' models at the interface may.
fn takes_temperature(model: &str) -> bool {
    let Some(name) = model.strip_prefix("claude-") else {
        return true;
    };
    let mut numbers = name
        .split(['-', '@', ':'])
        .filter_map(|part| part.parse::<u32>().ok())
        // A date is no version.
        .filter(|number| *number < 1_000);
    match (numbers.next(), numbers.next()) {
        (Some(..=3), _) | (Some(4), None | Some(..=6)) => true,
        (None | Some(_), _) => false,
    }
}

/// Whether an open model thinks if nobody says anything.
fn thinks_unasked(model: &str) -> bool {
    model.contains("qwen3")
        && !["coder", "instruct", "thinking", "max"]
            .iter()
            .any(|name| model.contains(name))
}

fn is_openai(settings: &ClassifierSettings) -> bool {
    is_host(settings, "openai.com") || is_host(settings, "openai.azure.com")
}

fn is_host(settings: &ClassifierSettings, domain: &str) -> bool {
    let Ok(url) = Url::parse(&settings.base_url) else {
        return false;
    };
    let Some(host) = url.host_str() else {
        return false;
    };
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests;
