//! `python -m MODULE`: modules of the standard library that do one thing. Not
//! `py_compile`: what it leaves in `__pycache__` runs in place of a file that
//! was put back.

use countersign_core::command::Word;
use countersign_core::effect::Touch;

use crate::python::{Act, At};

/// What a module that is run does with files.
pub(super) fn acts(module: &Word, arguments: &[Word]) -> Result<Vec<Act>, String> {
    let words: Option<Vec<&str>> = arguments.iter().map(Word::literal).collect();
    let (Some(module), Some(words)) = (module.literal(), words) else {
        return Err("what it runs is known only when the command runs".to_owned());
    };
    let unknown = || Err(format!("`-m {module}` is not known with these words"));
    match module {
        "json.tool" => json_tool(&words).map_or_else(unknown, Ok),
        "tokenize" | "ast" | "tabnanny" if is_files(&words) => Ok(read(&words)),
        "calendar" | "this" | "platform" if words.is_empty() => Ok(Vec::new()),
        _ => unknown(),
    }
}

fn is_file(word: &str) -> bool {
    !word.is_empty() && !word.starts_with('-')
}

fn is_files(words: &[&str]) -> bool {
    words.iter().all(|word| is_file(word))
}

fn act(touch: Touch, word: &str) -> Act {
    Act {
        touch,
        at: At::Path(word.to_owned()),
    }
}

fn read(words: &[&str]) -> Vec<Act> {
    words.iter().map(|word| act(Touch::Read, word)).collect()
}

/// `json.tool [OPTIONS] [IN [OUT]]`
fn json_tool(words: &[&str]) -> Option<Vec<Act>> {
    let mut files = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--sort-keys" | "--no-ensure-ascii" | "--json-lines" | "--tab" | "--no-indent"
            | "--compact" => {}
            "--indent" => {
                rest.next()?.parse::<u8>().ok()?;
            }
            word if is_file(word) => files.push(word),
            "-" if files.is_empty() => {}
            _ => return None,
        }
    }
    match files.as_slice() {
        [] => Some(Vec::new()),
        [read] => Some(vec![act(Touch::Read, read)]),
        [read, write] => Some(vec![act(Touch::Read, read), act(Touch::Write, write)]),
        _ => None,
    }
}
