//! What the agents' own readers of JSON take. Ours takes comments, trailing commas
//! and a byte order mark; a file with something in it that the agent's reader does
//! not take counts for nothing there, hooks and all.

use countersign_core::agent::Agent;

use crate::document::{MARK, json_with};
use crate::profile::Profile;

/// What a reader takes beside plain JSON.
#[derive(Debug, Clone, Copy)]
struct Reader {
    comments: bool,
    trailing_commas: bool,
    mark: bool,
}

/// An agent's reader, as it was measured; none of one that was not.
const fn reader(agent: Agent) -> Option<Reader> {
    let (comments, trailing_commas, mark) = match agent {
        Agent::ClaudeCode => (false, false, true),
        Agent::Codex => (false, false, false),
        // It does not even start then.
        Agent::Gemini => (true, false, false),
        Agent::Qwen => (true, false, true),
        _ => return None,
    };
    Some(Reader {
        comments,
        trailing_commas,
        mark,
    })
}

/// Why an agent leaves out a text of JSON that we can read, if it does.
pub(super) fn objection(profile: &Profile, text: &str) -> Option<String> {
    let reader = reader(profile.agent)?;
    let title = profile.title;
    let refused =
        |what: &str| format!("{title} does not read {what}, and leaves out the whole file");
    let bare = match text.strip_prefix(MARK) {
        Some(_) if !reader.mark => return Some(refused("the byte order mark at its beginning")),
        Some(bare) => bare,
        None => text,
    };
    let read =
        |options| jsonc_parser::parse_to_serde_value::<Option<serde_json::Value>>(bare, &options);
    // What nobody reads is not said here.
    read(json_with(true, true)).ok()?;
    let error = read(json_with(reader.comments, reader.trailing_commas)).err()?;
    let what = match read(json_with(reader.comments, true)) {
        Ok(_) => "the trailing comma",
        Err(_) => "the comment",
    };
    let (line, column) = (error.line_display(), error.column_display());
    Some(refused(&format!("{what} in line {line}, column {column}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::profile;

    const PLAIN: &str = "{\n  \"hooks\": { \"Stop\": [] }\n}\n";
    const COMMENT: &str = "{\n  // mine\n  \"hooks\": { \"Stop\": [] }\n}\n";
    const COMMA: &str = "{\n  \"hooks\": { \"Stop\": [] },\n}\n";
    const MARKED: &str = "\u{feff}{ \"hooks\": {} }";
    const BROKEN: &str = "{ \"hooks\": [ }";

    #[test]
    fn what_each_agent_reads_was_measured() {
        for (agent, comment, comma, marked) in [
            (Agent::ClaudeCode, false, false, true),
            (Agent::Codex, false, false, false),
            (Agent::Gemini, true, false, false),
            (Agent::Qwen, true, false, true),
            (Agent::Cursor, true, true, true),
            (Agent::Vscode, true, true, true),
        ] {
            let profile = profile(agent).unwrap();
            for (text, is_read) in [
                (PLAIN, true),
                (COMMENT, comment),
                (COMMA, comma),
                (MARKED, marked),
                // Said elsewhere.
                (BROKEN, true),
                ("", true),
            ] {
                let objection = objection(profile, text);
                assert_eq!(
                    objection.is_none(),
                    is_read,
                    "{agent} {text:?}: {objection:?}"
                );
            }
        }
    }

    #[test]
    fn it_says_what_and_where() {
        let said = |text| objection(profile(Agent::ClaudeCode).unwrap(), text).unwrap();
        let comment = said(COMMENT);
        assert!(
            comment.contains("Claude Code does not read the comment in line 2"),
            "{comment}"
        );
        let comma = said(COMMA);
        assert!(comma.contains("the trailing comma in line 2"), "{comma}");
        let mark = objection(profile(Agent::Codex).unwrap(), MARKED).unwrap();
        assert!(mark.contains("the byte order mark"), "{mark}");
    }
}
