//! A Markdown document, as far as it points elsewhere.

use std::collections::BTreeSet;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::finding::line_at;

/// A document.
#[derive(Debug)]
pub(super) struct Document {
    /// From the root of the workspace.
    pub(super) path: String,
    pub(super) links: Vec<Link>,
    /// The names that links to its headings use.
    pub(super) headings: BTreeSet<String>,
    pub(super) commands: Vec<Command>,
}

/// A link or image.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) target: String,
    pub(super) line: usize,
}

/// A line of a shell block, or code in running text.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) text: String,
    pub(super) line: usize,
}

/// What of the document is being read.
enum Within {
    Text,
    Heading(String),
    ShellBlock,
    OtherBlock,
}

impl Document {
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let mut document = Self {
            path: path.to_owned(),
            links: Vec::new(),
            headings: BTreeSet::new(),
            commands: Vec::new(),
        };
        let mut within = Within::Text;
        let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES);
        for (event, range) in events.into_offset_iter() {
            let line = line_at(text, range.start);
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(Link {
                        target: dest_url.into_string(),
                        line,
                    });
                }
                Event::Start(Tag::Heading { .. }) => within = Within::Heading(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    if let Within::Heading(heading) = std::mem::replace(&mut within, Within::Text) {
                        document.add_heading(&heading);
                    }
                }
                Event::Start(Tag::CodeBlock(kind)) => within = block(&kind),
                Event::End(TagEnd::CodeBlock) => within = Within::Text,
                Event::Text(content) => match &mut within {
                    Within::Heading(heading) => heading.push_str(&content),
                    Within::ShellBlock => document.add_commands(&content, line),
                    Within::Text | Within::OtherBlock => {}
                },
                Event::Code(content) => {
                    if let Within::Heading(heading) = &mut within {
                        heading.push_str(&content);
                    }
                    document.add_commands(&content, line);
                }
                _ => {}
            }
        }
        document
    }

    /// Adds the name that web views of repositories give a heading; one that
    /// comes again gets a number.
    fn add_heading(&mut self, heading: &str) {
        let name: String = heading
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let mut numbered = name.clone();
        let mut number = 0_u32;
        while !self.headings.insert(numbered) {
            number += 1;
            numbered = format!("{name}-{number}");
        }
    }

    fn add_commands(&mut self, content: &str, first_line: usize) {
        for (offset, text) in content.lines().enumerate() {
            let text = text.trim();
            self.commands.push(Command {
                text: text.strip_prefix("$ ").unwrap_or(text).to_owned(),
                line: first_line + offset,
            });
        }
    }
}

fn block(kind: &CodeBlockKind<'_>) -> Within {
    match kind {
        CodeBlockKind::Fenced(language)
            if matches!(&**language, "sh" | "bash" | "console" | "shell") =>
        {
            Within::ShellBlock
        }
        CodeBlockKind::Fenced(_) | CodeBlockKind::Indented => Within::OtherBlock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_headings_and_commands_have_their_lines() {
        let text = "# Top\n\nSee [it](a.md#b) and `cargo xtask test`.\n\n```sh\n$ one\ntwo\n```\n\n```json\n[no](link.md)\n```\n\n# Top\n";
        let document = Document::parse("x.md", text);
        let links: Vec<_> = document
            .links
            .iter()
            .map(|l| (&*l.target, l.line))
            .collect();
        assert_eq!(links, [("a.md#b", 3)]);
        let commands: Vec<_> = document
            .commands
            .iter()
            .map(|c| (&*c.text, c.line))
            .collect();
        assert_eq!(commands, [("cargo xtask test", 3), ("one", 6), ("two", 7)]);
        let headings: Vec<_> = document.headings.iter().collect();
        assert_eq!(headings, ["top", "top-1"]);
    }
}
