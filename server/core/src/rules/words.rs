//! The specifier of a command rule, split into words as a shell splits them.

use crate::rules::error::RuleError;

/// One character of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// This character.
    Char(char),
    /// An unquoted `*`.
    Star,
}

/// A word of a rule: its characters, with the wildcards among them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RuleWord {
    pub(super) pieces: Vec<Piece>,
    /// Whether any of it is quoted: such a word is no operator, assignment or
    /// home folder.
    pub(super) quoted: bool,
}

impl RuleWord {
    /// The word's text, if it has no wildcard.
    pub(super) fn literal(&self) -> Option<String> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Char(character) => Some(*character),
                Piece::Star => None,
            })
            .collect()
    }

    pub(super) fn has_star(&self) -> bool {
        self.pieces.contains(&Piece::Star)
    }

    pub(super) fn is_star(&self) -> bool {
        self.pieces == [Piece::Star]
    }

    /// The `:*` at the end, taken off.
    fn without_colon_star(&self) -> Option<Self> {
        let (last, rest) = self.pieces.split_last()?;
        let (colon, rest) = rest.split_last()?;
        (*last == Piece::Star && *colon == Piece::Char(':')).then(|| Self {
            pieces: rest.to_vec(),
            quoted: self.quoted,
        })
    }
}

/// One simple command of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RuleCommand {
    pub(super) words: Vec<RuleWord>,
    /// ` *` or `:*` at the end: any further words, none too.
    pub(super) tail: bool,
    /// The tail was written `:*`, which other tools read as "begins with".
    pub(super) colon: bool,
}

/// Redirects that a rule may carry because they never matter: people copy them
/// from what they ran.
const HARMLESS_REDIRECTS: &[&str] = &[
    "2>&1",
    "1>&2",
    ">&2",
    "2>/dev/null",
    ">/dev/null",
    "&>/dev/null",
];

/// Splits a specifier into the commands that operators part, each into words.
pub(super) fn split(specifier: &str) -> Result<Vec<RuleCommand>, RuleError> {
    let mut specifier = specifier.to_owned();
    for redirect in HARMLESS_REDIRECTS {
        if let Some(rest) = specifier.strip_suffix(redirect)
            && rest.ends_with(' ')
        {
            specifier = rest.trim_end().to_owned();
        }
    }
    let mut commands = Vec::new();
    let mut words: Vec<RuleWord> = Vec::new();
    let mut word: Option<RuleWord> = None;
    let mut characters = specifier.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                word.quoted = true;
                loop {
                    match characters.next() {
                        Some('\'') => break,
                        Some(inner) => word.pieces.push(Piece::Char(inner)),
                        None => return Err(RuleError::UnclosedQuote),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                word.quoted = true;
                loop {
                    match characters.next() {
                        Some('"') => break,
                        Some('\\') => match characters.next() {
                            Some(inner @ ('"' | '\\' | '$' | '`')) => {
                                word.pieces.push(Piece::Char(inner));
                            }
                            Some(inner) => {
                                word.pieces.push(Piece::Char('\\'));
                                word.pieces.push(Piece::Char(inner));
                            }
                            None => return Err(RuleError::UnclosedQuote),
                        },
                        Some(inner) => word.pieces.push(Piece::Char(inner)),
                        None => return Err(RuleError::UnclosedQuote),
                    }
                }
            }
            '\\' => {
                let word = word.get_or_insert_default();
                // Before a letter it is a separator of a Windows path.
                match characters.peek() {
                    Some(next) if !next.is_alphanumeric() => {
                        word.quoted = true;
                        word.pieces.push(Piece::Char(*next));
                        characters.next();
                    }
                    _ => word.pieces.push(Piece::Char('\\')),
                }
            }
            ';' | '|' | '&' => {
                words.extend(word.take());
                if !words.is_empty() {
                    commands.push(command(std::mem::take(&mut words)));
                }
            }
            '<' | '>' => return Err(RuleError::Redirect),
            '*' => word.get_or_insert_default().pieces.push(Piece::Star),
            other => word.get_or_insert_default().pieces.push(Piece::Char(other)),
        }
    }
    words.extend(word.take());
    if !words.is_empty() {
        commands.push(command(words));
    }
    if commands.is_empty() {
        return Err(RuleError::NoCommand);
    }
    Ok(commands)
}

fn command(mut words: Vec<RuleWord>) -> RuleCommand {
    let mut tail = false;
    let mut colon = false;
    while words.last().is_some_and(RuleWord::is_star) {
        words.pop();
        tail = true;
    }
    if let Some(last) = words.last_mut()
        && let Some(shorter) = last.without_colon_star()
    {
        tail = true;
        if shorter.pieces.is_empty() {
            words.pop();
        } else {
            colon = true;
            *last = shorter;
        }
    }
    RuleCommand { words, tail, colon }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(specifier: &str) -> Vec<String> {
        let commands = split(specifier).unwrap();
        assert_eq!(commands.len(), 1, "{specifier}");
        commands
            .into_iter()
            .flat_map(|command| command.words)
            .map(|word| word.literal().unwrap_or_else(|| "*".to_owned()))
            .collect()
    }

    #[test]
    fn words_are_split_like_a_shell_does() {
        assert_eq!(literals("git  status"), ["git", "status"]);
        assert_eq!(
            literals("git commit -m 'a b'"),
            ["git", "commit", "-m", "a b"]
        );
        assert_eq!(literals(r#"echo "a \"b\" \n""#), ["echo", r#"a "b" \n"#]);
        assert_eq!(literals(r"echo a\ b \*"), ["echo", "a b", "*"]);
        assert_eq!(
            literals(r"C:\Python\python.exe x"),
            [r"C:\Python\python.exe", "x"]
        );
        assert_eq!(literals("echo '*'"), ["echo", "*"]);
        assert!(
            !split("echo '*'")
                .unwrap()
                .iter()
                .any(|command| command.tail)
        );
    }

    #[test]
    fn both_spellings_of_a_tail() {
        for specifier in ["git *", "git:*", "git :*", "git * *"] {
            let commands = split(specifier).unwrap();
            let [command] = commands.as_slice() else {
                panic!("{specifier}")
            };
            assert!(command.tail, "{specifier}");
            assert_eq!(command.words.len(), 1, "{specifier}");
        }
        assert!(!split("git*").unwrap().iter().any(|command| command.tail));
    }

    #[test]
    fn operators_part_commands() {
        assert_eq!(split("cd x && npm test; ls | wc").unwrap().len(), 4);
        assert_eq!(split("a 'b && c'").unwrap().len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        assert_eq!(split("echo 'a"), Err(RuleError::UnclosedQuote));
        assert_eq!(split("echo x > f"), Err(RuleError::Redirect));
        assert_eq!(split("  "), Err(RuleError::NoCommand));
        assert_eq!(literals("npm test 2>&1"), ["npm", "test"]);
        assert_eq!(literals("ls 2>/dev/null"), ["ls"]);
    }
}
