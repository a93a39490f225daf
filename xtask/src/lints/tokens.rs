//! Rust source as tokens: comments and strings are out of the way, and every
//! path and keyword has its line.

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// The tokens of a source file.
pub(super) fn parse(text: &str) -> Result<TokenStream> {
    text.parse()
        .map_err(|error| anyhow!("is not Rust: {error}"))
}

/// A path as it is written, with what the braces around it put before it:
/// `use std::{fs, io::Read}` has `std`, `std::fs` and `std::io::Read`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PathUse {
    pub(super) path: String,
    pub(super) line: usize,
}

pub(super) fn paths(tokens: TokenStream) -> Vec<PathUse> {
    let mut found = Vec::new();
    collect_paths(tokens, "", &mut found);
    found
}

fn collect_paths(tokens: TokenStream, before: &str, found: &mut Vec<PathUse>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => {
                let line = ident.span().start().line;
                let mut path = format!("{before}{ident}");
                while is_colon(tokens.peek()) {
                    tokens.next();
                    if !is_colon(tokens.peek()) {
                        break;
                    }
                    tokens.next();
                    match tokens.peek() {
                        Some(TokenTree::Ident(next)) => {
                            path = format!("{path}::{next}");
                            tokens.next();
                        }
                        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                            collect_paths(group.stream(), &format!("{path}::"), found);
                            tokens.next();
                        }
                        _ => break,
                    }
                }
                found.push(PathUse { path, line });
            }
            TokenTree::Group(group) => {
                // Braces inside a `use` keep what stands before them; any
                // other group starts anew.
                collect_paths(group.stream(), "", found);
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

/// The tokens without what is compiled for tests only.
pub(super) fn without_tests(tokens: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_hash(&token)
            && let Some(TokenTree::Group(attribute)) = tokens.peek()
            && is_test_only(attribute)
        {
            tokens.next();
            // Up to the end of the item: its body or its semicolon.
            for rest in tokens.by_ref() {
                let ends = match &rest {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(punct) => punct.as_char() == ';',
                    TokenTree::Ident(_) | TokenTree::Literal(_) => false,
                };
                if ends {
                    break;
                }
            }
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_tests(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        });
    }
    kept.into_iter().collect()
}

fn is_hash(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '#')
}

/// Whether an attribute's content is `test` or `cfg(test)` or `cfg(all(test…))`.
fn is_test_only(attribute: &Group) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    text == "test" || text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// The content of every attribute, with its line.
pub(super) fn attributes(tokens: TokenStream) -> Vec<(TokenStream, usize)> {
    let mut found = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_hash(&token) {
            if matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!') {
                tokens.next();
            }
            if let Some(TokenTree::Group(group)) = tokens.peek()
                && group.delimiter() == Delimiter::Bracket
            {
                found.push((group.stream(), group.span().start().line));
                tokens.next();
            }
        } else if let TokenTree::Group(group) = token {
            found.extend(attributes(group.stream()));
        }
    }
    found
}

/// Every call of a function of this name, whatever the path before it, with
/// its arguments and line.
pub(super) fn calls(tokens: TokenStream, name: &str) -> Vec<(TokenStream, usize)> {
    let mut found = Vec::new();
    let mut last: Option<Ident> = None;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                if let Some(ident) = last.take()
                    && ident == name
                    && group.delimiter() == Delimiter::Parenthesis
                {
                    found.push((group.stream(), ident.span().start().line));
                }
                found.extend(calls(group.stream(), name));
            }
            TokenTree::Ident(ident) => last = Some(ident),
            TokenTree::Punct(_) | TokenTree::Literal(_) => last = None,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, usize)> {
        paths(without_tests(parse(text).unwrap()))
            .into_iter()
            .map(|one| (one.path, one.line))
            .collect()
    }

    #[test]
    fn paths_in_nested_braces_are_seen_whole() {
        let all = found("use std::{\n fs,\n io::{Read, Write},\n};\nlet x: u8 = a::b::c();");
        for (path, line) in [
            ("std::fs", 2),
            ("std::io::Read", 3),
            ("std::io::Write", 3),
            ("a::b::c", 5),
        ] {
            assert!(all.contains(&(path.to_owned(), line)), "{path}: {all:?}");
        }
    }

    #[test]
    fn comments_strings_and_tests_do_not_count() {
        let text = r#"
            // std::fs
            /// std::env
            const A: &str = "std::net";
            #[cfg(test)]
            mod tests { use std::process; }
            #[cfg(test)]
            #[path = "x.rs"]
            mod other;
            #[cfg(not(test))]
            fn kept() { std::thread::yield_now() }
        "#;
        let all: Vec<String> = found(text).into_iter().map(|(path, _)| path).collect();
        assert!(
            all.contains(&"std::thread::yield_now".to_owned()),
            "{all:?}"
        );
        for path in ["std::fs", "std::env", "std::net", "std::process", "other"] {
            assert!(!all.iter().any(|one| one == path), "{path}: {all:?}");
        }
    }

    #[test]
    fn calls_are_found_with_their_arguments() {
        let tokens = parse("fn f() { a(); std::thread::sleep(g(1)); }").unwrap();
        let arguments: Vec<String> = calls(tokens, "sleep")
            .into_iter()
            .map(|(arguments, _)| arguments.to_string())
            .collect();
        assert_eq!(arguments, ["g (1)"]);
    }
}
