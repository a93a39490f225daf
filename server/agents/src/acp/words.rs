//! A command and its arguments as text that a shell reads as exactly these
//! words, and as clients that hand both to a shell would read them.

/// Characters that mean nothing to any shell, wherever they stand.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_@%+:,./-".contains(character)
}

/// A word that stands for itself.
fn quoted(word: &str) -> String {
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The readings of a command with arguments: some clients run the program of
/// this name, others give the words, joined with blanks, to a shell. One text
/// where both come to the same.
pub(super) fn readings(command: &str, arguments: &[&str], before: &str) -> Vec<String> {
    let words: Vec<&str> = std::iter::once(command)
        .chain(arguments.iter().copied())
        .collect();
    let program: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let mut all = vec![format!("{before}{}", program.join(" "))];
    let joined = format!("{before}{}", words.join(" "));
    if !all.contains(&joined) {
        all.push(joined);
    }
    // Arguments that are quoted one by one behind a command that is not.
    if !arguments.is_empty() {
        let quoted_arguments: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        let mixed = format!("{before}{command} {}", quoted_arguments.join(" "));
        if !all.contains(&mixed) {
            all.push(mixed);
        }
    }
    all
}

/// The text that a shell is given with `-c`, where these words are a shell with
/// nothing else; the text of the words themselves otherwise.
pub(super) fn of_words(words: &[&str]) -> String {
    if let [shell, option, text] = words {
        let name = shell.rsplit('/').next().unwrap_or(shell);
        if matches!(name, "sh" | "bash") && matches!(*option, "-c" | "-lc") {
            return (*text).to_owned();
        }
    }
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

/// An assignment before a command, as a shell reads it; none where the name is
/// no variable's.
pub(super) fn assignment(name: &str, value: &str) -> Option<String> {
    let mut characters = name.chars();
    let begins = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let is_name = begins && characters.all(|next| next.is_ascii_alphanumeric() || next == '_');
    is_name.then(|| format!("{name}={} ", quoted(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_have_one_reading() {
        assert_eq!(
            readings("cargo", &["test", "-p", "x"], ""),
            ["cargo test -p x"]
        );
        assert_eq!(readings("ls", &[], "A=1 "), ["A=1 ls"]);
    }

    #[test]
    fn what_a_shell_would_read_differently_has_every_reading() {
        assert_eq!(readings("ls; id", &[], ""), ["'ls; id'", "ls; id"]);
        assert_eq!(
            readings("sh", &["-c", "a b"], ""),
            ["sh -c 'a b'", "sh -c a b"]
        );
        assert_eq!(
            readings("a b", &["c'd"], ""),
            [r"'a b' 'c'\''d'", "a b c'd", r"a b 'c'\''d'"]
        );
    }

    #[test]
    fn a_shells_text_is_what_it_runs() {
        assert_eq!(
            of_words(&["/bin/bash", "-lc", "echo hi > f"]),
            "echo hi > f"
        );
        assert_eq!(of_words(&["bash", "-c", "a", "b"]), "bash -c a b");
        assert_eq!(
            of_words(&["git", "commit", "-m", "a b"]),
            "git commit -m 'a b'"
        );
        assert_eq!(of_words(&["fish", "-c", "a b"]), "fish -c 'a b'");
    }

    #[test]
    fn only_names_of_variables_are_assigned() {
        assert_eq!(assignment("PATH", "/x y"), Some("PATH='/x y' ".to_owned()));
        for name in ["", "1A", "A B", "A;id", "A=B", "\u{e9}"] {
            assert_eq!(assignment(name, "x"), None, "{name}");
        }
    }
}
