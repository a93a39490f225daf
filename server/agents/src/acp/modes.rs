//! The agents' own modes as they stand in the protocol: which of them plan,
//! which ask the client about every call, and which let the agent decide alone.

use countersign_core::agent::Agent;

/// What a mode of an agent means for who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModeKind {
    /// The agent plans and changes nothing.
    Plan,
    /// The agent asks the client.
    Asks,
    /// The agent runs tools that the client is never asked about.
    Loosens,
    /// Nothing is known of it.
    Unknown,
}

use ModeKind::{Asks, Loosens, Plan, Unknown};

/// The modes of each agent, in the words of its own protocol.
const MODES: &[(Agent, &[(&str, ModeKind)])] = &[
    (
        Agent::Qwen,
        &[
            ("plan", Plan),
            ("default", Asks),
            ("auto-edit", Loosens),
            ("auto", Loosens),
            ("yolo", Loosens),
        ],
    ),
    (
        Agent::Gemini,
        &[
            ("plan", Plan),
            ("default", Asks),
            ("autoEdit", Loosens),
            ("auto_edit", Loosens),
            ("yolo", Loosens),
        ],
    ),
    (
        Agent::ClaudeCode,
        &[
            ("plan", Plan),
            ("default", Asks),
            ("acceptEdits", Loosens),
            ("auto", Loosens),
            // It denies what it would ask about.
            ("dontAsk", Asks),
            ("bypassPermissions", Loosens),
        ],
    ),
    (
        Agent::Codex,
        &[
            ("read-only", Asks),
            ("auto", Loosens),
            ("full-access", Loosens),
        ],
    ),
    (Agent::Opencode, &[("plan", Plan), ("build", Asks)]),
];

/// Parts of the names of modes, of agents that are not known, in which an agent
/// decides alone. Lower case, without separators.
const LOOSE_WORDS: &[&str] = &[
    "yolo",
    "bypass",
    "dangerous",
    "autoedit",
    "acceptedits",
    "autoapprove",
    "approveall",
    "allowall",
    "acceptall",
    "fullaccess",
    "fullauto",
    "autopilot",
    "unrestricted",
    "noask",
    "neverask",
    "trustall",
    "skippermission",
];

/// What a mode means.
#[must_use]
pub fn mode_kind(agent: Agent, mode: &str) -> ModeKind {
    let known = MODES
        .iter()
        .find(|(of, _)| *of == agent)
        .and_then(|(_, modes)| modes.iter().find(|(name, _)| *name == mode));
    if let Some((_, kind)) = known {
        return *kind;
    }
    let plain: String = mode
        .chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    if plain == "plan" {
        return Plan;
    }
    if plain == "auto" || LOOSE_WORDS.iter().any(|word| plain.contains(word)) {
        return Loosens;
    }
    Unknown
}

/// The modes in which an agent asks, best first: one of them in place of one
/// that loosens. For an agent that is not known, the usual names.
pub fn asking_modes(agent: Agent) -> impl Iterator<Item = &'static str> {
    let known = MODES.iter().find(|(of, _)| *of == agent);
    let own: Vec<&'static str> = match known {
        Some((_, modes)) => modes
            .iter()
            .filter(|(_, kind)| *kind == Asks)
            .map(|(name, _)| *name)
            .collect(),
        None => vec!["default", "ask"],
    };
    own.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_agents_loose_modes_are_known_and_have_an_asking_one() {
        for (agent, modes) in MODES {
            assert!(asking_modes(*agent).next().is_some(), "{agent}");
            for (name, kind) in *modes {
                assert_eq!(mode_kind(*agent, name), *kind, "{agent} {name}");
            }
        }
    }

    #[test]
    fn a_loose_mode_is_known_by_its_name_where_the_agent_is_not() {
        for mode in [
            "yolo",
            "Auto-Edit",
            "bypass_permissions",
            "dangerously-skip",
            "accept edits",
            "auto",
            "Full Access",
        ] {
            assert_eq!(mode_kind(Agent::Generic, mode), Loosens, "{mode}");
        }
        for mode in ["ask", "code", "architect", "author"] {
            assert_eq!(mode_kind(Agent::Generic, mode), Unknown, "{mode}");
        }
        assert_eq!(mode_kind(Agent::Generic, "Plan"), Plan);
    }
}
