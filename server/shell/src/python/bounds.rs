//! What the parser is not given: texts that are too long or too deep, and those
//! that Python itself may read as other characters.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

use super::Dialect;

/// The longest program, in bytes.
const LONGEST: usize = 32 * 1024;

/// The deepest that its tree may be.
const DEEPEST: usize = 150;

/// The most tokens.
const MOST_TOKENS: usize = 12_000;

/// Refuses what cannot be looked at in bounded time and stack.
pub(super) fn check(source: &str, dialect: Dialect) -> Result<(), String> {
    if source.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    if source.contains(['\0', '\u{feff}', '\x0c', '\x1a']) {
        return Err("it holds odd characters".to_owned());
    }
    // A comment in the first two lines may say that the bytes mean other
    // characters.
    if dialect.may_name_encoding && source.split(['\n', '\r']).take(2).any(names_encoding) {
        return Err("it names an encoding".to_owned());
    }
    if deepest(source)? > DEEPEST {
        return Err("it is nested too deep".to_owned());
    }
    Ok(())
}

fn names_encoding(line: &str) -> bool {
    line.contains('#') && (line.contains("coding:") || line.contains("coding="))
}

/// No less than the depth of the tree, from the tokens alone: every token may
/// deepen what stands in the same brackets, until a comma ends it there.
fn deepest(source: &str) -> Result<usize, String> {
    let odd = || "it is no Python that is understood".to_owned();
    let mut lexer = lexer::lex(source, Mode::Module);
    // What each open bracket or block holds so far, and whether a comma ends it.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let (mut run, mut ends, mut sum, mut deepest) = (0_usize, false, 0_usize, 0_usize);
    for _ in 0..MOST_TOKENS {
        match lexer.next_token() {
            TokenKind::EndOfFile => {
                return if open.is_empty() {
                    Ok(deepest)
                } else {
                    Err(odd())
                };
            }
            TokenKind::Unknown | TokenKind::IpyEscapeCommand => return Err(odd()),
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart
            | TokenKind::Indent => {
                open.push((run + 1, ends));
                sum += run + 1;
                (run, ends) = (0, true);
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd
            | TokenKind::Dedent => {
                let (outer, outer_ends) = open.pop().ok_or_else(odd)?;
                sum -= outer;
                (run, ends) = (outer, outer_ends);
            }
            TokenKind::Newline => (run, ends) = (0, false),
            // The parameters of a lambda hold commas, too.
            TokenKind::Lambda => (run, ends) = (run + 1, false),
            TokenKind::Comma if ends => run = 0,
            TokenKind::NonLogicalNewline | TokenKind::Comment => {}
            _ => run += 1,
        }
        deepest = deepest.max(sum + run);
    }
    Err("it is too long".to_owned())
}
