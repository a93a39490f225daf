//! Words of others as labels: from small sets, or of a form in which nothing
//! else can be said.

use std::sync::LazyLock;

use countersign_core::tool::Tool;

/// A name that is in no set, or cannot be shown.
pub(crate) const OTHER: &str = "other";

/// A tool of an MCP server.
const MCP: &str = "mcp";

/// Longest name of a model and longest id, in bytes.
const LONGEST: usize = 128;

/// What a tool is called in telemetry.
pub(crate) fn tool(tool: &Tool) -> &'static str {
    static NAMES: LazyLock<Vec<String>> =
        LazyLock::new(|| Tool::NAMED.iter().map(ToString::to_string).collect());
    match tool {
        Tool::Mcp { .. } => MCP,
        Tool::Other(_) => OTHER,
        named => {
            let at = Tool::NAMED.iter().position(|known| known == named);
            at.and_then(|at| NAMES.get(at))
                .map_or(OTHER, String::as_str)
        }
    }
}

/// The name of a model. Servers of local models name files, and a file's name
/// is not for others.
pub(crate) fn model(name: &str) -> String {
    let is_path = name.starts_with(['/', '~', '.'])
        || name.contains("..")
        || name.contains("//")
        || name.as_bytes().get(1) == Some(&b':')
        || name.contains('\\')
        || [".gguf", ".safetensors", ".bin"]
            .iter()
            .any(|ending| name.to_ascii_lowercase().ends_with(ending));
    if is_path || !is_word(name, b"-_.:@/+") {
        return OTHER.to_owned();
    }
    name.to_owned()
}

/// An id of a provider; none if it is not of an id's form.
pub(crate) fn id(id: &str) -> Option<String> {
    is_word(id, b"-_.:").then(|| id.to_owned())
}

fn is_word(text: &str, besides: &[u8]) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || besides.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_called_as_in_the_table_or_not_at_all() {
        for named in Tool::NAMED {
            assert_eq!(tool(named), named.to_string());
        }
        assert_eq!(tool(&Tool::from_canonical("mcp__secret__tool")), "mcp");
        assert_eq!(tool(&Tool::from_canonical("my_secret_tool")), "other");
    }

    #[test]
    fn a_model_that_could_be_a_path_is_not_named() {
        for name in [
            "gpt-5.2",
            "Qwen/Qwen3-8B",
            "models/gemini-3",
            "qwen3:8b",
            "a@001",
        ] {
            assert_eq!(model(name), name);
        }
        for name in [
            "/home/user/model",
            "~/model",
            "./model",
            "a/../b",
            "C:/models/x",
            "models\\x",
            "secret.gguf",
            "two words",
            "",
            &"x".repeat(129),
        ] {
            assert_eq!(model(name), OTHER, "{name}");
        }
    }

    #[test]
    fn an_id_is_an_id() {
        assert_eq!(id("req_011C:x-1.2").as_deref(), Some("req_011C:x-1.2"));
        assert_eq!(id("the prompt said"), None);
        assert_eq!(id("a/b"), None);
    }
}
