//! Command rules against the words of one simple command.
//!
//! Deny and ask rules match the whole command line as one text, in which `*`
//! may stand for several words: more than was meant is the safe side. Allow
//! rules match word by word, and say which words only a wildcard covers.

use camino::Utf8Path;

use crate::command::{SimpleCommand, Word, WordValue};
use crate::programs;
use crate::rules::error::RuleError;
use crate::rules::wildcard::{Token, UNKNOWN, WORD_END, Wild};
use crate::rules::words::{Piece, RuleCommand, RuleWord, split};
use crate::rules::{Certainty, Reading, RuleList};

/// The specifier of a command rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommandPattern {
    /// What deny and ask look for: every part must be matched by some simple
    /// command of the call. One part unless the rule has operators.
    pub(super) parts: Vec<LinePattern>,
    /// What allow rules and the over-broad check look at: the first part.
    pub(super) line: WordsPattern,
}

/// One simple command of a deny or ask rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LinePattern {
    assignments: Vec<(String, Wild)>,
    /// Any of these matches for certain.
    exact: Vec<Wild>,
    /// The program without its path: it may be the same program.
    by_base_name: Option<Wild>,
    /// The program's key in the index; `None` if it is not literal.
    pub(super) program: Option<String>,
}

/// One simple command of an allow rule, word by word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WordsPattern {
    /// Assignments that the rule names, with their literal values.
    pub(super) assignments: Vec<(String, String)>,
    /// The words, the program first.
    pub(super) words: Vec<WordPattern>,
    /// Whether any further words may follow.
    pub(super) tail: bool,
}

/// One word of an allow rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WordPattern {
    /// Exactly this.
    Literal(String),
    /// A word that begins with `~/`: as written, and with the home folder.
    Home { written: String, expanded: String },
    /// A word with a wildcard in it.
    Wild(Wild),
}

impl WordPattern {
    /// The word as written, if it has no wildcard.
    pub(super) fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Home { written, .. } => Some(written),
            Self::Wild(_) => None,
        }
    }

    /// The literal text that the word begins with.
    pub(super) fn prefix(&self) -> &str {
        match self {
            Self::Literal(text) | Self::Home { written: text, .. } => text,
            Self::Wild(wild) => wild.prefix(),
        }
    }

    fn matches(&self, word: &Word) -> bool {
        match (self, word.literal()) {
            (Self::Literal(text), Some(word)) => text == word,
            (Self::Home { written, expanded }, Some(word)) => written == word || expanded == word,
            (Self::Wild(wild), Some(word)) => wild.matches(word),
            // A word that may become several is not one word of the rule;
            // what a wildcard may cover of it is decided where it is covered.
            (Self::Wild(wild), None) => match &word.value {
                WordValue::Glob(pattern) => wild.matches(&unknown_after(&glob_prefix(pattern))),
                WordValue::Dynamic { prefix, .. } => wild.matches(&unknown_after(prefix)),
                WordValue::Literal(_) => false,
            },
            (Self::Literal(_) | Self::Home { .. }, None) => false,
        }
    }
}

fn unknown_after(prefix: &str) -> String {
    format!("{prefix}{UNKNOWN}")
}

/// The text of a glob before its first wildcard.
pub(crate) fn glob_prefix(pattern: &str) -> String {
    let mut prefix = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => prefix.extend(characters.next()),
            '*' | '?' | '[' | '{' | '(' | '+' | '@' | '!' => break,
            other => prefix.push(other),
        }
    }
    prefix
}

/// A simple command as one text, once for each name that its program has.
#[derive(Debug)]
pub(super) struct Line<'a> {
    command: &'a SimpleCommand,
    /// As written, then with the program's bare name if that differs.
    texts: Vec<String>,
    unknown: bool,
    /// The program's key in the index; `None` if it is not known.
    pub(super) program: Option<String>,
}

impl<'a> Line<'a> {
    pub(super) fn new(command: &'a SimpleCommand) -> Self {
        let mut text = String::new();
        let mut unknown = false;
        for word in &command.words {
            unknown |= push_word(&mut text, word);
        }
        let program = command.name().map(program_key);
        let mut texts = Vec::with_capacity(2);
        if let (Some(name), Some(key)) = (command.name(), &program) {
            let bare = programs::bare_name(name);
            for alias in [bare, key.as_str()] {
                if alias != name
                    && let Some(rest) = text.strip_prefix(name)
                {
                    let aliased = format!("{alias}{rest}");
                    if !texts.contains(&aliased) {
                        texts.push(aliased);
                    }
                }
            }
        }
        texts.insert(0, text);
        Self {
            command,
            texts,
            unknown,
            program,
        }
    }
}

/// A program's key in the index: its bare name in lower case, without the
/// endings that Windows adds.
pub(super) fn program_key(name: &str) -> String {
    let mut key = programs::bare_name(name).to_lowercase();
    for ending in [".exe", ".cmd", ".bat", ".com"] {
        if let Some(shorter) = key.strip_suffix(ending) {
            key.truncate(shorter.len());
            break;
        }
    }
    key
}

/// Appends a word; says whether something of it is not known.
fn push_word(text: &mut String, word: &Word) -> bool {
    match &word.value {
        WordValue::Literal(literal) if !literal.contains([UNKNOWN, WORD_END]) => {
            text.push_str(literal);
            text.push(WORD_END);
            false
        }
        WordValue::Literal(_) => {
            text.push(UNKNOWN);
            true
        }
        WordValue::Glob(pattern) => {
            text.push_str(&glob_prefix(pattern));
            text.push(UNKNOWN);
            text.push(WORD_END);
            true
        }
        WordValue::Dynamic { prefix, .. } => {
            text.push_str(prefix);
            text.push(UNKNOWN);
            // Without a prefix it may be no word at all.
            if !prefix.is_empty() {
                text.push(WORD_END);
            }
            true
        }
    }
}

impl LinePattern {
    fn new(command: &RuleCommand, reading: Reading, home: &Utf8Path) -> Self {
        let mut words = command.words.as_slice();
        let mut assignments = Vec::new();
        while let Some((first, rest)) = words.split_first()
            && let Some((name, value)) = assignment(first)
        {
            assignments.push((name, Wild::new(value.iter().map(token))));
            words = rest;
        }
        // Qwen reads a rule without wildcard as "exactly this, or this and
        // more", and one with a `*` at its end as "begins with".
        let prefix_reading = match reading {
            Reading::Qwen => {
                words
                    .last()
                    .is_some_and(|last| last.pieces.last() == Some(&Piece::Star))
                    || !words.iter().any(RuleWord::has_star)
            }
            Reading::Countersign | Reading::Claude => false,
        };
        // A rule of assignments alone speaks of every command that has them.
        let tail = command.tail || prefix_reading || words.is_empty();
        let mut exact = vec![line(words, tail, None)];
        if words.iter().any(is_home) {
            exact.push(line(words, tail, Some(home)));
        }
        if command.colon
            && let Some((last, before)) = words.split_last()
        {
            // `npm run test:*` may mean every script that begins so.
            let mut last = last.clone();
            last.pieces.extend([Piece::Char(':'), Piece::Star]);
            let mut longer = before.to_vec();
            longer.push(last);
            exact.push(line(&longer, true, None));
        }
        let name = words.first().and_then(RuleWord::literal);
        let by_base_name = name.as_deref().and_then(|name| {
            let key = program_key(name);
            (key != name).then(|| {
                let mut aliased = words.to_vec();
                if let Some(first) = aliased.first_mut() {
                    first.pieces = key.chars().map(Piece::Char).collect();
                }
                line(&aliased, tail, None)
            })
        });
        Self {
            assignments,
            exact,
            by_base_name,
            program: name.as_deref().map(program_key),
        }
    }

    /// How certainly a simple command is one that the rule speaks of.
    pub(super) fn matches(&self, line: &Line<'_>) -> Option<Certainty> {
        let mut certainty = self.matches_words(line)?;
        for (name, pattern) in &self.assignments {
            let value = line
                .command
                .assignments
                .iter()
                .find(|assignment| assignment.name == *name)
                .and_then(|assignment| assignment.value.as_ref())?;
            match value {
                WordValue::Literal(value) if pattern.matches(value) => {}
                WordValue::Literal(_) => return None,
                WordValue::Glob(_) | WordValue::Dynamic { .. } => {
                    certainty = Certainty::Possible;
                }
            }
        }
        Some(certainty)
    }

    fn matches_words(&self, line: &Line<'_>) -> Option<Certainty> {
        let any = |test: &dyn Fn(&Wild, &str) -> bool, patterns: &[Wild]| {
            patterns
                .iter()
                .any(|pattern| line.texts.iter().any(|text| test(pattern, text)))
        };
        if any(&Wild::matches, &self.exact) {
            return Some(Certainty::Certain);
        }
        let by_base_name = self.by_base_name.as_slice();
        let possible = any(&Wild::matches, by_base_name)
            || (line.unknown
                && (any(&Wild::may_match, &self.exact) || any(&Wild::may_match, by_base_name)));
        possible.then_some(Certainty::Possible)
    }
}

fn token(piece: &Piece) -> Token {
    match piece {
        Piece::Char(character) => Token::Char(*character),
        Piece::Star => Token::Star,
    }
}

fn is_home(word: &RuleWord) -> bool {
    !word.quoted
        && word
            .pieces
            .starts_with(&[Piece::Char('~'), Piece::Char('/')])
}

/// The words as one pattern over a whole line.
fn line(words: &[RuleWord], tail: bool, home: Option<&Utf8Path>) -> Wild {
    let mut tokens = Vec::new();
    for word in words {
        if word.is_star() {
            // Any words, none too.
            tokens.extend([Token::Star, Token::WordStart]);
            continue;
        }
        let mut pieces = word.pieces.as_slice();
        if let Some(home) = home
            && is_home(word)
        {
            tokens.extend(home.as_str().chars().map(Token::Char));
            pieces = pieces.get(1..).unwrap_or_default();
        }
        tokens.extend(pieces.iter().map(token));
        tokens.push(Token::Char(WORD_END));
    }
    if tail {
        tokens.push(Token::Star);
    }
    Wild::new(tokens)
}

/// The name and value of a word of the form `NAME=value`.
fn assignment(word: &RuleWord) -> Option<(String, &[Piece])> {
    let equals = word
        .pieces
        .iter()
        .position(|piece| *piece == Piece::Char('='))?;
    let name: String = word
        .pieces
        .get(..equals)?
        .iter()
        .map(|piece| match piece {
            Piece::Char(character) => *character,
            Piece::Star => '*',
        })
        .collect();
    let mut characters = name.chars();
    let starts = characters.next()?;
    ((starts.is_ascii_alphabetic() || starts == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_'))
    .then_some(())?;
    Some((name, word.pieces.get(equals + 1..)?))
}

impl CommandPattern {
    pub(super) fn parse(
        specifier: &str,
        list: RuleList,
        reading: Reading,
        home: &Utf8Path,
    ) -> Result<Self, RuleError> {
        let commands = split(specifier)?;
        let line = match commands.first() {
            Some(first) => WordsPattern::new(first, home),
            None => return Err(RuleError::NoCommand),
        };
        if !list.restricts() {
            if commands.len() > 1 {
                return Err(RuleError::SeveralCommands);
            }
            return Ok(Self {
                parts: Vec::new(),
                line: line?,
            });
        }
        Ok(Self {
            parts: commands
                .iter()
                .map(|command| LinePattern::new(command, reading, home))
                .collect(),
            line: WordsPattern::default(),
        })
    }
}

/// The pattern of a rule that names no command: `Bash`, `Bash(*)`.
impl Default for WordsPattern {
    fn default() -> Self {
        Self {
            assignments: Vec::new(),
            words: Vec::new(),
            tail: true,
        }
    }
}

/// How an allow rule matches a command's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WordsMatch {
    /// Number of words of the rule: those at and behind it are matched by the
    /// tail.
    fixed: usize,
}

impl WordsPattern {
    fn new(command: &RuleCommand, home: &Utf8Path) -> Result<Self, RuleError> {
        let mut words = command.words.as_slice();
        let mut assignments = Vec::new();
        while let Some((first, rest)) = words.split_first()
            && let Some((name, value)) = assignment(first)
        {
            let value: Option<String> = value
                .iter()
                .map(|piece| match piece {
                    Piece::Char(character) => Some(*character),
                    Piece::Star => None,
                })
                .collect();
            assignments.push((name, value.ok_or(RuleError::WildAssignment)?));
            words = rest;
        }
        if words.is_empty() && !command.tail {
            return Err(RuleError::NoCommand);
        }
        Ok(Self {
            assignments,
            words: words
                .iter()
                .map(|word| match word.literal() {
                    Some(written) if is_home(word) => WordPattern::Home {
                        expanded: format!("{home}{}", written.trim_start_matches('~')),
                        written,
                    },
                    Some(text) => WordPattern::Literal(text),
                    None => WordPattern::Wild(Wild::new(word.pieces.iter().map(token))),
                })
                .collect(),
            tail: command.tail,
        })
    }

    /// Whether no word is left to a wildcard.
    pub(super) fn is_literal(&self) -> bool {
        !self.tail && self.words.iter().all(|word| word.literal().is_some())
    }

    /// The program, if it is literal: the key in the index.
    pub(super) fn program(&self) -> Option<&str> {
        match self.words.first()? {
            WordPattern::Literal(program) => Some(program),
            WordPattern::Home { .. } | WordPattern::Wild(_) => None,
        }
    }

    pub(super) fn matches(&self, words: &[Word]) -> Option<WordsMatch> {
        let fits = if self.tail {
            words.len() >= self.words.len()
        } else {
            words.len() == self.words.len()
        };
        (fits
            && !words.is_empty()
            && self
                .words
                .iter()
                .zip(words)
                .all(|(pattern, word)| pattern.matches(word)))
        .then_some(WordsMatch {
            fixed: self.words.len(),
        })
    }

    /// Whether a wildcard covers the word at this index of a matched command.
    pub(super) fn is_wild_at(&self, matched: WordsMatch, index: usize) -> bool {
        index >= matched.fixed
            || self
                .words
                .get(index)
                .is_none_or(|word| word.literal().is_none())
    }
}
