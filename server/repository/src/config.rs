//! git's format of configuration files, strictly: what is not understood is an
//! error, because a setting that is overlooked may run a program.

use crate::error::{RepositoryError, Result};

/// The most settings that one file may have.
const MOST: usize = 20_000;

/// One line of a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// In lower case: `core`, `remote`.
    pub section: String,
    /// As written: `origin` of `[remote "origin"]`.
    pub subsection: Option<String>,
    /// In lower case: `hookspath`.
    pub key: String,
    /// `None` for a key alone, which means yes.
    pub value: Option<String>,
}

impl Setting {
    /// Whether this is `section.key`, without a subsection, both in lower case.
    #[must_use]
    pub fn is(&self, section: &str, key: &str) -> bool {
        self.section == section && self.subsection.is_none() && self.key == key
    }

    /// The value as git reads yes and no; `None` if it is neither.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        let Some(value) = &self.value else {
            return Some(true);
        };
        match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "" | "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }
}

/// Takes a configuration file apart, in the order of its lines. Included files
/// are not followed: `include.path` is a setting like the others.
///
/// # Errors
///
/// If it is not written as git would accept it, or has more than 20,000
/// settings.
pub fn parse(text: &str) -> Result<Vec<Setting>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n");
    let mut rest = text.chars().peekable();
    let mut settings = Vec::new();
    let mut section: Option<(String, Option<String>)> = None;
    while let Some(first) = rest.next() {
        match first {
            _ if first.is_ascii_whitespace() => {}
            '#' | ';' => while rest.next().is_some_and(|next| next != '\n') {},
            '[' => section = Some(header(&mut rest)?),
            _ if first.is_ascii_alphabetic() => {
                let Some((name, subsection)) = &section else {
                    return Err(damaged("a setting outside a section"));
                };
                let mut key = String::from(first.to_ascii_lowercase());
                while let Some(next) =
                    rest.next_if(|next| next.is_ascii_alphanumeric() || *next == '-')
                {
                    key.push(next.to_ascii_lowercase());
                }
                while rest.next_if(|next| matches!(next, ' ' | '\t')).is_some() {}
                let value = match rest.next() {
                    None | Some('\n') => None,
                    Some('=') => Some(value(&mut rest)?),
                    Some(_) => return Err(damaged("a key with a character that none has")),
                };
                if settings.len() >= MOST {
                    return Err(RepositoryError::too_large(
                        "a configuration file",
                        MOST as u64,
                    ));
                }
                settings.push(Setting {
                    section: name.clone(),
                    subsection: subsection.clone(),
                    key,
                    value,
                });
            }
            _ => return Err(damaged("a line that is no setting")),
        }
    }
    Ok(settings)
}

fn damaged(what: &str) -> RepositoryError {
    RepositoryError::damaged(format!("a configuration file of git has {what}"))
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// The rest of `[section "subsection"]` or `[section.subsection]`.
fn header(rest: &mut Rest<'_>) -> Result<(String, Option<String>)> {
    let mut name = String::new();
    loop {
        match rest.next() {
            Some(']') => break,
            Some(' ' | '\t') => {
                while rest.next_if(|next| matches!(next, ' ' | '\t')).is_some() {}
                if rest.next() != Some('"') {
                    return Err(damaged("a section that is not closed"));
                }
                let subsection = quoted(rest)?;
                if rest.next() != Some(']') {
                    return Err(damaged("a section that is not closed"));
                }
                return Ok((name, Some(subsection)));
            }
            Some(next) if next.is_ascii_alphanumeric() || matches!(next, '-' | '.') => {
                name.push(next.to_ascii_lowercase());
            }
            _ => return Err(damaged("a section with a character that none has")),
        }
    }
    Ok(match name.split_once('.') {
        Some((name, subsection)) => (name.to_owned(), Some(subsection.to_owned())),
        None => (name, None),
    })
}

fn quoted(rest: &mut Rest<'_>) -> Result<String> {
    let mut text = String::new();
    loop {
        match rest.next() {
            Some('"') => return Ok(text),
            Some('\\') => match rest.next() {
                Some(next) if next != '\n' => text.push(next),
                _ => return Err(damaged("a section that is not closed")),
            },
            None | Some('\n') => return Err(damaged("a section that is not closed")),
            Some(next) => text.push(next),
        }
    }
}

fn value(rest: &mut Rest<'_>) -> Result<String> {
    let mut text = String::new();
    // How much of it blanks at the end cannot take away.
    let mut kept = 0;
    let mut is_quoted = false;
    loop {
        match rest.next() {
            None | Some('\n') if is_quoted => return Err(damaged("a quote that is not closed")),
            None | Some('\n') => break,
            Some('"') => {
                is_quoted = !is_quoted;
                kept = text.len();
            }
            Some('\\') => {
                match rest.next() {
                    Some('\n') => continue,
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('b') => text.push('\u{8}'),
                    Some(next @ ('"' | '\\')) => text.push(next),
                    _ => return Err(damaged("an escape that none is")),
                }
                kept = text.len();
            }
            Some('#' | ';') if !is_quoted => {
                while rest.next().is_some_and(|next| next != '\n') {}
                break;
            }
            Some(next) if next.is_ascii_whitespace() && !is_quoted => {
                if !text.is_empty() {
                    text.push(next);
                }
            }
            Some(next) => {
                text.push(next);
                kept = text.len();
            }
        }
    }
    text.truncate(kept);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Vec<String> {
        parse(text)
            .unwrap()
            .into_iter()
            .map(|setting| {
                let Setting {
                    section,
                    subsection,
                    key,
                    value,
                } = setting;
                let subsection = subsection.map_or(String::new(), |name| format!(".{name}"));
                let value = value.map_or(String::new(), |value| format!("={value}"));
                format!("{section}{subsection}.{key}{value}")
            })
            .collect()
    }

    #[test]
    fn settings_are_read_as_git_reads_them() {
        assert_eq!(
            shown(
                "# a\n[core]\n\tbare = false ; why\n\tfileMode\n[remote \"O \\\"x\"]\nurl=a#b\n\
                 [Alias] st = \"!x ; y\"  z \\\n  w\n[include.Path]\r\nPath = ~/p\\\\q\r\n"
            ),
            [
                "core.bare=false",
                "core.filemode",
                "remote.O \"x.url=a",
                "alias.st=!x ; y  z   w",
                "include.path.path=~/p\\q",
            ]
        );
    }

    #[test]
    fn what_git_would_refuse_is_refused() {
        for text in [
            "bare = true",
            "[core\nbare",
            "[co re]",
            "[core]\nb_d = 1",
            "[core]\n= 1",
            "[core]\na = \"b",
            "[core]\na = \\q",
            "[core \"x\" ]",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_ends_in_an_answer(text in "[\\[\\]a-c=\"\\\\\n ;#.]{0,80}") {
            let _ = parse(&text);
        }
    }
}
