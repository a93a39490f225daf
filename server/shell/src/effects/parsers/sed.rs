//! `sed`: a script that is read far enough to know that it runs nothing and
//! which files it reads and writes.

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;
use crate::effects::options::{self, Read};
use crate::knowledge::Command;

/// A file that a script names.
struct Named {
    touch: Touch,
    path: String,
}

pub(super) fn sed(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    let read = match options::read(words, command, false) {
        Ok((read, _)) => read,
        Err(problem) => {
            finder.unproven(format!("`sed`: {}", problem.reason), problem.span);
            return;
        }
    };
    let given = |names: &[&str]| read.flags.iter().any(|flag| names.contains(flag));
    if given(&["-f", "--file"]) {
        finder.unproven("`sed` runs a script from a file", span.clone());
        return;
    }
    let edits = given(&["-i", "--in-place"]);
    if let Some(suffix) = read
        .values
        .iter()
        .find(|value| matches!(value.flag, "-i" | "--in-place"))
        && !matches!(&suffix.value, WordValue::Literal(text) if is_suffix(text))
    {
        finder.unproven("`sed` keeps copies under other names", suffix.span.clone());
        return;
    }
    let scripts: Vec<(&WordValue, Range<usize>)> = read
        .values
        .iter()
        .filter(|value| matches!(value.flag, "-e" | "--expression"))
        .map(|value| (&value.value, value.span.clone()))
        .collect();
    let (scripts, files) = script_and_files(scripts, &read);
    if scripts.is_empty() {
        finder.unproven("`sed` without a script", span.clone());
        return;
    }
    let mut whole = String::new();
    for (script, span) in &scripts {
        let WordValue::Literal(text) = script else {
            finder.unproven(
                "the script of `sed` is known only when it runs",
                span.clone(),
            );
            return;
        };
        whole.push_str(text);
        whole.push('\n');
    }
    let script_span = scripts
        .first()
        .map_or_else(|| span.clone(), |(_, span)| span.clone());
    match script(&whole) {
        Ok(named) => {
            for file in named {
                let value = WordValue::Literal(file.path);
                finder.touch(file.touch, &value, script_span.clone(), false);
            }
        }
        Err(reason) => {
            finder.unproven(format!("`sed`: {reason}"), script_span);
            return;
        }
    }
    for file in files {
        let touch = if edits { Touch::Edit } else { Touch::Read };
        finder.touch(touch, &file.value, file.span.clone(), !file.is_safe);
        if edits
            && let Some(suffix) = read
                .values
                .iter()
                .find(|value| matches!(value.flag, "-i" | "--in-place"))
            && let (WordValue::Literal(name), WordValue::Literal(suffix)) =
                (&file.value, &suffix.value)
        {
            let copy = WordValue::Literal(format!("{name}{suffix}"));
            finder.touch(Touch::Write, &copy, file.span.clone(), false);
        }
    }
}

/// A suffix of copies: `.bak`.
fn is_suffix(text: &str) -> bool {
    !text.contains(['/', '*'])
}

type Scripts<'a> = Vec<(&'a WordValue, Range<usize>)>;

fn script_and_files<'a>(
    scripts: Scripts<'a>,
    read: &'a Read,
) -> (Scripts<'a>, &'a [options::Operand]) {
    if !scripts.is_empty() {
        return (scripts, &read.operands);
    }
    match read.operands.split_first() {
        Some((first, rest)) => (vec![(&first.value, first.span.clone())], rest),
        None => (scripts, &[]),
    }
}

/// The files that a script names; the error is what in it is not understood.
fn script(text: &str) -> Result<Vec<Named>, String> {
    let mut at = Script {
        rest: text.chars().peekable(),
        named: Vec::new(),
    };
    while at.command()? {}
    Ok(at.named)
}

struct Script<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    named: Vec<Named>,
}

impl Script<'_> {
    /// Reads one command; whether there was one.
    fn command(&mut self) -> Result<bool, String> {
        self.skip(|c| c.is_whitespace() || matches!(c, ';' | '}'));
        if self.rest.peek().is_none() {
            return Ok(false);
        }
        if self.rest.peek() == Some(&'#') {
            self.line();
            return Ok(true);
        }
        self.address()?;
        self.skip(char::is_whitespace);
        if self.rest.peek() == Some(&',') {
            self.rest.next();
            self.skip(char::is_whitespace);
            if matches!(self.rest.peek(), Some('+' | '~')) {
                self.rest.next();
            }
            self.address()?;
        }
        self.skip(|c| c.is_whitespace() || c == '!');
        let Some(name) = self.rest.next() else {
            return Err("an address without a command".to_owned());
        };
        match name {
            '{' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'n' | 'N' | 'p' | 'P' | 'x' | 'z' | '='
            | 'F' => {}
            'l' | 'q' | 'Q' | 'L' => self.skip(|c| c.is_ascii_digit() || c == ' '),
            ':' | 'b' | 't' | 'T' | 'v' => {
                self.skip(|c| c == ' ');
                self.skip(|c| !matches!(c, ';' | '\n' | '}'));
            }
            'a' | 'i' | 'c' => self.text(),
            's' => self.substitute()?,
            'y' => {
                let delimiter = self.delimiter()?;
                self.until(delimiter)?;
                self.until(delimiter)?;
            }
            'r' | 'R' => self.file(Touch::Read),
            'w' | 'W' => self.file(Touch::Write),
            'e' => return Err("`e` runs a command".to_owned()),
            other => return Err(format!("the command `{other}` is not known")),
        }
        Ok(true)
    }

    fn skip(&mut self, which: impl Fn(char) -> bool) {
        while self.rest.next_if(|c| which(*c)).is_some() {}
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        for c in self.rest.by_ref() {
            if c == '\n' {
                break;
            }
            line.push(c);
        }
        line
    }

    /// The text of `a`, `i`, `c`: to the end of the line, with lines that a
    /// backslash continues.
    fn text(&mut self) {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => {
                    self.rest.next();
                }
                '\n' => break,
                _ => {}
            }
        }
    }

    fn file(&mut self, touch: Touch) {
        let path = self.line().trim_start().to_owned();
        self.named.push(Named { touch, path });
    }

    fn delimiter(&mut self) -> Result<char, String> {
        self.rest
            .next()
            .filter(|c| !matches!(c, '\n' | '\\'))
            .ok_or_else(|| "no delimiter".to_owned())
    }

    /// To the delimiter, which a bracket expression may hold too; sed itself
    /// looks into brackets only in patterns, so both readings must end alike.
    fn until(&mut self, delimiter: char) -> Result<String, String> {
        let mut text = String::new();
        while let Some(c) = self.rest.next() {
            if c == '\\' {
                text.push(c);
                text.extend(self.rest.next());
            } else if c == delimiter {
                if text.matches('[').count() > text.matches(']').count() {
                    return Err("a delimiter inside brackets".to_owned());
                }
                return Ok(text);
            } else {
                text.push(c);
            }
        }
        Err("no closing delimiter".to_owned())
    }

    fn address(&mut self) -> Result<(), String> {
        match self.rest.peek() {
            Some('0'..='9') => {
                self.skip(|c| c.is_ascii_digit() || c == '~');
            }
            Some('$') => {
                self.rest.next();
            }
            Some('/') => {
                self.rest.next();
                self.until('/')?;
                self.skip(|c| matches!(c, 'I' | 'M'));
            }
            Some('\\') => {
                self.rest.next();
                let delimiter = self.delimiter()?;
                self.until(delimiter)?;
                self.skip(|c| matches!(c, 'I' | 'M'));
            }
            _ => {}
        }
        Ok(())
    }

    fn substitute(&mut self) -> Result<(), String> {
        let delimiter = self.delimiter()?;
        self.until(delimiter)?;
        // Brackets mean nothing in the replacement.
        let mut escaped = false;
        loop {
            match self.rest.next() {
                None => return Err("no closing delimiter".to_owned()),
                Some(c) if escaped => {
                    let _ = c;
                    escaped = false;
                }
                Some('\\') => escaped = true,
                Some(c) if c == delimiter => break,
                Some(_) => {}
            }
        }
        loop {
            match self.rest.peek() {
                Some('g' | 'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9') => {
                    self.rest.next();
                }
                Some('e') => return Err("the flag `e` runs a command".to_owned()),
                Some('w') => {
                    self.rest.next();
                    self.file(Touch::Write);
                    return Ok(());
                }
                _ => return Ok(()),
            }
        }
    }
}
