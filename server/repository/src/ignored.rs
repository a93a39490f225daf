//! Which paths a commit's own `.gitignore` files ignore. Those on disk, and
//! `.git/info/exclude`, are an agent's to write and do not count.

use std::collections::HashMap;
use std::sync::Arc;

use camino::{Utf8Component, Utf8Path};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::Result;
use crate::id::BlobId;
use crate::repository::lock;
use crate::tree::{DEEPEST, Tree};
use crate::tree_data::Mode;

/// The largest `.gitignore` that is read, in bytes, and its most lines.
const LARGEST: usize = 256 * 1024;
const MOST_LINES: usize = 5_000;
/// How many of them are kept.
const MOST_KEPT: usize = 1_024;

/// Matchers by the content they were made of; `None` if not every line is
/// understood.
#[derive(Debug, Default)]
pub(crate) struct Matchers(HashMap<BlobId, Option<Arc<Gitignore>>>);

impl Tree {
    /// Whether a path, relative to the root of the work tree, is ignored by the
    /// `.gitignore` files of this commit. What the commit has itself, or has
    /// something below of, is not; nor is anything below a `.gitignore` that is
    /// not understood wholly.
    ///
    /// # Errors
    ///
    /// If a folder or a `.gitignore` is missing, forged or damaged.
    pub fn is_ignored(&self, path: &Utf8Path, is_folder: bool) -> Result<bool> {
        let is_plain = path
            .components()
            .all(|component| matches!(component, Utf8Component::Normal(_)));
        if !is_plain || self.mode(path)?.is_some() {
            return Ok(false);
        }
        // From the root down: what lies in an ignored folder cannot be
        // unignored.
        let mut prefixes: Vec<&Utf8Path> = path.ancestors().collect();
        prefixes.pop();
        prefixes.reverse();
        if prefixes.len() > DEEPEST {
            return Ok(false);
        }
        for prefix in prefixes {
            let is_folder = is_folder || prefix != path;
            for folder in prefix.ancestors().skip(1) {
                let matcher = match self.matcher(folder)? {
                    Rules::None => continue,
                    Rules::Unclear => return Ok(false),
                    Rules::Some(matcher) => matcher,
                };
                let Ok(below) = prefix.strip_prefix(folder) else {
                    return Ok(false);
                };
                match matcher.matched(below, is_folder) {
                    Match::Ignore(_) => return Ok(true),
                    Match::Whitelist(_) => break,
                    Match::None => {}
                }
            }
        }
        Ok(false)
    }

    fn matcher(&self, folder: &Utf8Path) -> Result<Rules> {
        // git does not follow a link of that name.
        let Some((id, Mode::File | Mode::Executable)) = self.blob(&folder.join(".gitignore"))?
        else {
            return Ok(Rules::None);
        };
        let matchers = &self.repository.inner.matchers;
        if let Some(known) = lock(matchers).0.get(&id) {
            return Ok(known.clone().into());
        }
        let content = self.repository.blob(id)?;
        let made = compile(&content).map(Arc::new);
        let mut matchers = lock(matchers);
        if matchers.0.len() >= MOST_KEPT {
            matchers.0.clear();
        }
        matchers.0.insert(id, made.clone());
        Ok(made.into())
    }
}

/// What a folder's `.gitignore` says.
enum Rules {
    None,
    Unclear,
    Some(Arc<Gitignore>),
}

impl From<Option<Arc<Gitignore>>> for Rules {
    fn from(made: Option<Arc<Gitignore>>) -> Self {
        made.map_or(Self::Unclear, Self::Some)
    }
}

/// `None` if there is a line that the matcher might read otherwise than git.
fn compile(content: &[u8]) -> Option<Gitignore> {
    let text = std::str::from_utf8(content).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > LARGEST {
        return None;
    }
    let mut builder = GitignoreBuilder::new("");
    for (number, line) in text.split('\n').enumerate() {
        if number >= MOST_LINES {
            return None;
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.starts_with('#') {
            continue;
        }
        builder.add_line(None, &plain(line)?).ok()?;
    }
    builder.build().ok()
}

/// The line for the matcher: it knows `{a,b}`, which git does not, and reads
/// some classes and trailing blanks otherwise.
fn plain(line: &str) -> Option<String> {
    let mut out = String::with_capacity(line.len());
    let mut class: Option<usize> = None;
    let mut rest = line.chars();
    while let Some(next) = rest.next() {
        match (next, class) {
            // A class with an escape, braces, another class, or a bracket first.
            ('\\' | '{' | '}' | '[', Some(_)) | (']', Some(0)) => return None,
            ('/', Some(_)) => return None,
            (']', Some(_)) => class = None,
            ('!' | '^', Some(0)) => class = Some(0),
            (_, Some(count)) => class = Some(count + 1),
            ('[', None) => class = Some(0),
            ('{' | '}', None) => out.push('\\'),
            ('\\', None) => {
                out.push('\\');
                out.push(rest.next()?);
                continue;
            }
            _ => {}
        }
        out.push(next);
    }
    let is_blank_at_end = line.ends_with(|last: char| last.is_whitespace() && last != ' ');
    let is_escaped_blank = line.trim_end_matches(' ').ends_with('\\') && line.ends_with(' ');
    (class.is_none() && !is_blank_at_end && !is_escaped_blank).then_some(out)
}
