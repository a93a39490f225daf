//! Conversations in files: what the agent and the client say, and what each of
//! them hears. `$W` is the workspace, `$1` to `$9` ids of the proxy.

use std::collections::HashMap;

use countersign_core::agent::Agent;
use serde_json::Value;

use crate::support::Stage;

/// Plays a conversation.
async fn play(agent: Agent, name: &str, script: &str) {
    let mut stage = Stage::of(agent);
    let workspace = stage.workspace.to_string();
    let mut ids: HashMap<String, String> = HashMap::new();
    for (number, line) in script.lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        let Some((who, text)) = line.split_once(' ').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let mut text = text.replace("$W", &workspace);
        if matches!(who, "A>" | "C>") {
            for (placeholder, id) in &ids {
                text = text.replace(placeholder.as_str(), id);
            }
        }
        match who {
            "A>" => stage.agent.says_bytes(format!("{text}\n").as_bytes()).await,
            "C>" => {
                stage
                    .client
                    .says_bytes(format!("{text}\n").as_bytes())
                    .await
            }
            // Byte for byte.
            "A=" => assert_eq!(
                stage.agent.hears_line().await,
                Some(format!("{text}\n")),
                "{place}"
            ),
            "C=" => assert_eq!(
                stage.client.hears_line().await,
                Some(format!("{text}\n")),
                "{place}"
            ),
            "A<" | "C<" => {
                let heard = if who == "A<" {
                    stage.agent.hears().await
                } else {
                    stage.client.hears().await
                };
                let wanted: Value = serde_json::from_str(&text).unwrap();
                same(&wanted, &heard, &mut ids).unwrap_or_else(|problem| {
                    panic!("{place}: {problem}\nwanted {wanted}\nheard  {heard}");
                });
            }
            "wait" => tokio::time::sleep(countersign_service::TOO_SOON).await,
            other => panic!("{place}: {other}"),
        }
    }
}

/// Whether what was heard is what was wanted. `"..."` stands for any text, a
/// text that ends with it for any end.
fn same(wanted: &Value, heard: &Value, ids: &mut HashMap<String, String>) -> Result<(), String> {
    match (wanted, heard) {
        (Value::String(wanted), Value::String(heard)) if wanted.starts_with('$') => {
            let known = ids.entry(wanted.clone()).or_insert_with(|| heard.clone());
            (known == heard)
                .then_some(())
                .ok_or_else(|| format!("{wanted} is {known} and not {heard}"))
        }
        (Value::String(wanted), Value::String(heard)) => {
            let is_same = match wanted.strip_suffix("...") {
                Some(beginning) => heard.starts_with(beginning),
                None => wanted == heard,
            };
            is_same
                .then_some(())
                .ok_or_else(|| format!("{heard:?} is not {wanted:?}"))
        }
        (Value::Array(wanted), Value::Array(heard)) if wanted.len() == heard.len() => wanted
            .iter()
            .zip(heard)
            .try_for_each(|(wanted, heard)| same(wanted, heard, ids)),
        (Value::Object(wanted), Value::Object(heard)) => {
            if let Some(name) = heard.keys().find(|name| !wanted.contains_key(*name)) {
                return Err(format!("{name} is too much"));
            }
            wanted.iter().try_for_each(|(name, wanted)| {
                let heard = heard
                    .get(name)
                    .ok_or_else(|| format!("{name} is missing"))?;
                same(wanted, heard, ids)
            })
        }
        (wanted, heard) => (wanted == heard)
            .then_some(())
            .ok_or_else(|| format!("{heard} is not {wanted}")),
    }
}

macro_rules! conversations {
    ($($name:ident: $agent:ident in $file:literal;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                play(Agent::$agent, $file, include_str!(concat!("../golden/", $file))).await;
            }
        )*
    };
}

conversations! {
    qwen_is_answered_and_its_client_asked: Qwen in "qwen.txt";
    claude_is_read_with_what_it_announced: ClaudeCode in "claude.txt";
    opencode_is_read_by_kind_and_shape: Opencode in "opencode.txt";
    opencode_runs_what_it_announced: Opencode in "opencode-announces.txt";
    gemini_shows_no_input_and_goes_to_the_person: Gemini in "gemini.txt";
    what_the_client_does_for_the_agent_is_decided: Generic in "client-side.txt";
    modes_that_loosen_are_refused_or_taken_back: Qwen in "modes.txt";
    the_same_holds_for_modes_that_are_options: Opencode in "options.txt";
}
