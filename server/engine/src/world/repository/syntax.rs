//! The syntax of git's settings, strictly: what is the least unusual is an
//! error, because git and this reader must not differ.

use std::iter::Peekable;
use std::str::Chars;

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// In lower case.
    pub(super) section: String,
    /// As written; git compares it byte for byte.
    pub(super) subsection: Option<String>,
    /// In lower case.
    pub(super) key: String,
    /// `None` where only the key stands, which means true.
    pub(super) value: Option<String>,
}

impl Setting {
    /// Whether it is this one, without a subsection.
    pub(super) fn is(&self, section: &str, key: &str) -> bool {
        self.section == section && self.subsection.is_none() && self.key == key
    }

    /// Whether it names a file with more settings.
    pub(super) fn includes(&self) -> bool {
        matches!(self.section.as_str(), "include" | "includeif") && self.key == "path"
    }

    /// For people.
    pub(super) fn name(&self) -> String {
        match &self.subsection {
            Some(subsection) => format!("{}.{subsection}.{}", self.section, self.key),
            None => format!("{}.{}", self.section, self.key),
        }
    }
}

/// All settings of a file, in order; an error says in which line it is not
/// understood.
pub(super) fn read(text: &str) -> Result<Vec<Setting>, String> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
        line: 1,
    };
    reader
        .settings()
        .ok_or_else(|| format!("line {} is not understood", reader.line))
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    /// The next character; a carriage return only as a part of a line's end.
    fn next(&mut self) -> Option<char> {
        let mut next = self.rest.next();
        if next == Some('\r') && self.rest.peek() == Some(&'\n') {
            next = self.rest.next();
        }
        if next == Some('\n') {
            self.line += 1;
        }
        next
    }

    fn settings(&mut self) -> Option<Vec<Setting>> {
        let mut settings = Vec::new();
        let mut section: Option<(String, Option<String>)> = None;
        while let Some(next) = self.rest.peek().copied() {
            match next {
                ' ' | '\t' | '\n' | '\r' => {
                    if self.next() == Some('\r') {
                        return None;
                    }
                }
                '#' | ';' => while self.next().is_some_and(|c| c != '\n') {},
                '[' => {
                    self.next();
                    section = Some(self.section()?);
                }
                c if c.is_ascii_alphabetic() => {
                    let (section, subsection) = section.clone()?;
                    let (key, value) = self.setting()?;
                    settings.push(Setting {
                        section,
                        subsection,
                        key,
                        value,
                    });
                }
                _ => return None,
            }
        }
        Some(settings)
    }

    /// `section]` or `section "subsection"]`.
    fn section(&mut self) -> Option<(String, Option<String>)> {
        let name = self.name();
        match self.next()? {
            ']' if !name.is_empty() => Some((name, None)),
            ' ' | '\t' if !name.is_empty() => {
                while matches!(self.rest.peek(), Some(' ' | '\t')) {
                    self.next();
                }
                if self.next()? != '"' {
                    return None;
                }
                let mut subsection = String::new();
                loop {
                    match self.next()? {
                        '"' => break,
                        '\n' | '\r' | '\0' => return None,
                        '\\' => match self.next()? {
                            c @ ('"' | '\\') => subsection.push(c),
                            _ => return None,
                        },
                        c => subsection.push(c),
                    }
                }
                (self.next()? == ']').then_some((name, Some(subsection)))
            }
            // Also the old form `[section.subsection]`.
            _ => None,
        }
    }

    /// Letters, digits and dashes, in lower case.
    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self
            .rest
            .next_if(|c| c.is_ascii_alphanumeric() || *c == '-')
        {
            name.push(c.to_ascii_lowercase());
        }
        name
    }

    fn setting(&mut self) -> Option<(String, Option<String>)> {
        let key = self.name();
        while matches!(self.rest.peek(), Some(' ' | '\t')) {
            self.next();
        }
        match self.next() {
            None | Some('\n') => Some((key, None)),
            Some('=') => Some((key, Some(self.value()?))),
            Some(_) => None,
        }
    }

    fn value(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut spaces = String::new();
        let mut is_quoted = false;
        loop {
            let next = self.next();
            if !matches!(next, Some(' ' | '\t')) && !matches!(next, None | Some('\n')) {
                value.push_str(&spaces);
                spaces.clear();
            }
            match next {
                None | Some('\n') if is_quoted => return None,
                None | Some('\n') => return Some(value),
                Some('\0' | '\r') => return None,
                Some('"') => is_quoted = !is_quoted,
                Some('\\') => match self.next()? {
                    '\n' => {}
                    c @ ('"' | '\\') => value.push(c),
                    'n' => value.push('\n'),
                    't' => value.push('\t'),
                    'b' => value.push('\u{8}'),
                    _ => return None,
                },
                Some('#' | ';') if !is_quoted => {
                    while self.next().is_some_and(|c| c != '\n') {}
                    return Some(value.trim_end_matches([' ', '\t']).to_owned());
                }
                Some(c @ (' ' | '\t')) if !is_quoted => {
                    // Leading and trailing ones do not count.
                    if !value.is_empty() {
                        spaces.push(c);
                    }
                }
                Some(c) => value.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<Vec<String>, String> {
        Ok(read(text)?
            .iter()
            .map(|setting| format!("{}={:?}", setting.name(), setting.value))
            .collect())
    }

    #[test]
    fn settings_are_read_as_git_reads_them() {
        let text = "# c\n[Core]\n\tBare = false ; no\n  fileMode\n[remote \"a b\\\"c\"] url = x  y  \n\
                    [user]\r\n\tname = \"A # B\"\\\n c\r\n[a]\nb=\"x\\ty\" z # end";
        assert_eq!(
            shown(text).unwrap(),
            [
                "core.bare=Some(\"false\")",
                "core.filemode=None",
                "remote.a b\"c.url=Some(\"x  y\")",
                "user.name=Some(\"A # B c\")",
                "a.b=Some(\"x\\ty z\")",
            ]
        );
        assert_eq!(shown("").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_unusual_is_not_understood() {
        for text in [
            "a = b",
            "[a",
            "[]\n",
            "[a.b]\nc = d",
            "[a \"b]\nc = d",
            "[a \"b\\n\"]",
            "[a \"b\" ]",
            "[a]\nb = \"x",
            "[a]\nb = \\q",
            "[a]\nb c",
            "[a]\n1b = c",
            "[a]\nb\u{7f} = c",
            "\u{feff}[a]",
            "[a]\nb = c\0",
            "[a]\rb = c",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert_eq!(
            read("[a]\nb = c\n\n?").unwrap_err(),
            "line 4 is not understood"
        );
    }
}
