//! Where agents keep their conversations. A path that a hook names is the
//! agent's word: only a file where that agent keeps them is read.

use camino::Utf8Path;
use countersign_core::agent::Agent;

/// Whether a path is one at which an agent keeps conversations of its main
/// sessions: below the agent's own folder of the user's home, of the right
/// depth and name, without `.` and `..`. Links are not looked at: whoever
/// opens the file must not follow one.
#[must_use]
pub fn transcript_is_the_agents(agent: Agent, home: &Utf8Path, path: &Utf8Path) -> bool {
    let is_plain = |path: &Utf8Path| {
        path.is_absolute()
            && !path.as_str().contains('\0')
            && !path
                .as_str()
                .split(['/', '\\'])
                .any(|segment| segment == ".." || segment == ".")
    };
    if !is_plain(home) || !is_plain(path) {
        return false;
    }
    let Ok(below) = path.strip_prefix(home) else {
        return false;
    };
    let segments: Vec<&str> = below.iter().collect();
    let has_extension = |name: &str, extensions: &[&str]| {
        Utf8Path::new(name)
            .extension()
            .is_some_and(|extension| extensions.contains(&extension))
    };
    match (agent, segments.as_slice()) {
        (Agent::ClaudeCode, [".claude", "projects", _, name]) => has_extension(name, &["jsonl"]),
        (Agent::Qwen, [".qwen", "projects" | "tmp", _, "chats", name]) => {
            has_extension(name, &["jsonl"])
        }
        (Agent::Gemini, [".gemini", "tmp", _, "chats", name]) => {
            name.starts_with("session-") && has_extension(name, &["json", "jsonl"])
        }
        (Agent::Codex, [".codex", "sessions", _, _, _, name]) => {
            name.starts_with("rollout-") && has_extension(name, &["jsonl"])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_agents_own_conversations_are_its_transcripts() {
        let home = Utf8Path::new("/home/mila");
        for (agent, path) in [
            (Agent::ClaudeCode, ".claude/projects/-srv-a/5e1f.jsonl"),
            (Agent::Qwen, ".qwen/projects/-srv-a/chats/9d0b.jsonl"),
            (Agent::Qwen, ".qwen/tmp/0f3a/chats/9d0b.jsonl"),
            (
                Agent::Gemini,
                ".gemini/tmp/a/chats/session-2026-11-20T10-11-3a2c7e90.jsonl",
            ),
            (Agent::Gemini, ".gemini/tmp/a/chats/session-1.json"),
            (
                Agent::Codex,
                ".codex/sessions/2026/11/20/rollout-2026-11-20T10-11-12-01a1.jsonl",
            ),
        ] {
            assert!(
                transcript_is_the_agents(agent, home, &home.join(path)),
                "{path}"
            );
            for other in Agent::ALL.into_iter().filter(|other| *other != agent) {
                assert!(!transcript_is_the_agents(other, home, &home.join(path)));
            }
            assert!(!transcript_is_the_agents(
                agent,
                Utf8Path::new("/home/other"),
                &home.join(path)
            ));
            assert!(!transcript_is_the_agents(agent, home, Utf8Path::new(path)));
        }
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_none() {
        let home = Utf8Path::new("/home/mila");
        for path in [
            "/home/mila/.claude/projects/../../w/a.jsonl",
            "/home/mila/.claude/projects/./a.jsonl",
            "/home/mila/.claude/projects/a.jsonl",
            "/home/mila/.claude/projects/-srv-a/5e1f/subagents/agent-1.jsonl",
            "/home/mila/.claude/projects/-srv-a/a.json",
            "/home/mila/.claude/projects/-srv-a/a.jsonl.txt",
            "/home/mila/.claude/projects/-srv-a/a\0.jsonl",
            "/home/mila2/.claude/projects/-srv-a/a.jsonl",
            "/srv/a/.claude/projects/-srv-a/a.jsonl",
            "",
        ] {
            let path = Utf8Path::new(path);
            assert!(
                !transcript_is_the_agents(Agent::ClaudeCode, home, path),
                "{path}"
            );
        }
        let relative = Utf8Path::new(".");
        let path = Utf8Path::new(".claude/projects/-srv-a/a.jsonl");
        assert!(!transcript_is_the_agents(Agent::ClaudeCode, relative, path));
    }
}
