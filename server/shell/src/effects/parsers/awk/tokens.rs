//! The tokens of an awk script. Awks differ in small things; where they could
//! read a script differently it is refused.

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword, variable or function.
    Name(String),
    Number,
    /// A text, as it stands between the quotes.
    Text(String),
    Regex,
    /// Operators and punctuation.
    Sign(&'static str),
    Newline,
}

/// Longer ones first.
const SIGNS: &[&str] = &[
    "**=", "&&", "||", "|&", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "^=", "**",
    "++", "--", ">>", "!~", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^",
    "!", "<", ">", "|", "?", ":", "~", "$", "=",
];

/// Keywords behind which an expression begins.
const BEFORE_EXPRESSION: &[&str] = &[
    "case", "delete", "do", "else", "exit", "in", "print", "printf", "return",
];

/// Most tokens of a script.
const MOST: usize = 20_000;

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut rest = text;
    let mut tokens: Vec<Token> = Vec::new();
    // Open parentheses, and the one that was closed last: whether they belong
    // to `if` and the like.
    let mut open: Vec<bool> = Vec::new();
    let mut closed_condition = true;
    while let Some(first) = rest.chars().next() {
        if tokens.len() >= MOST {
            return Err("a very long script".to_owned());
        }
        if matches!(first, ' ' | '\t') {
            rest = after(rest, first);
        } else if first == '\n' {
            rest = after(rest, first);
            tokens.push(Token::Newline);
        } else if first == '\\' {
            rest = rest
                .strip_prefix("\\\n")
                .ok_or_else(|| "a backslash between words".to_owned())?;
        } else if first == '#' {
            rest = rest.find('\n').and_then(|at| rest.get(at..)).unwrap_or("");
        } else if first == '"' {
            let (text, behind) = quoted(after(rest, first))?;
            tokens.push(Token::Text(text));
            rest = behind;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            rest = rest.get(name.len()..).unwrap_or("");
            tokens.push(Token::Name(name));
        } else if first.is_ascii_digit() || first == '.' {
            rest = number(rest)?;
            tokens.push(Token::Number);
        } else if first == '/' && begins_regex(&tokens, closed_condition)? {
            rest = regex(after(rest, first))?;
            tokens.push(Token::Regex);
        } else {
            let sign = SIGNS
                .iter()
                .find(|sign| rest.starts_with(**sign))
                .ok_or_else(|| format!("`{}` is not known", first.escape_default()))?;
            rest = rest.get(sign.len()..).unwrap_or("");
            match *sign {
                "(" => open.push(opens_condition(&tokens)),
                ")" => closed_condition = open.pop().unwrap_or(true),
                _ => {}
            }
            tokens.push(Token::Sign(sign));
        }
    }
    Ok(tokens)
}

fn after(text: &str, first: char) -> &str {
    text.get(first.len_utf8()..).unwrap_or("")
}

/// Whether a slash begins a regular expression; otherwise it divides.
fn begins_regex(before: &[Token], closed_condition: bool) -> Result<bool, String> {
    let unsure = || "a slash that may divide, or begin a pattern".to_owned();
    match before.last() {
        None | Some(Token::Newline) => Ok(true),
        Some(Token::Name(name)) => Ok(BEFORE_EXPRESSION.contains(&name.as_str())),
        Some(Token::Number | Token::Text(_) | Token::Regex) => Ok(false),
        Some(Token::Sign("]")) => Ok(false),
        Some(Token::Sign(")")) => {
            // `if (x) /y/` begins one, `(x) / y` divides.
            if closed_condition {
                Err(unsure())
            } else {
                Ok(false)
            }
        }
        Some(Token::Sign("++" | "--" | "$")) => Err(unsure()),
        Some(Token::Sign(_)) => Ok(true),
    }
}

/// Whether a parenthesis that opens now belongs to `if` and the like.
fn opens_condition(before: &[Token]) -> bool {
    matches!(before.last(), Some(Token::Name(name))
        if matches!(name.as_str(), "if" | "while" | "for" | "switch"))
}

fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut inside = String::new();
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            '"' => return Ok((inside, letters.as_str())),
            '\n' => return Err("a line ends inside a text".to_owned()),
            '\\' => {
                inside.push(c);
                match letters.next() {
                    Some(escaped) => inside.push(escaped),
                    None => break,
                }
            }
            _ => inside.push(c),
        }
    }
    Err("a text does not end".to_owned())
}

/// What is behind a number. A letter that touches it may be a part of it, or
/// not.
fn number(text: &str) -> Result<&str, String> {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut rest = text.trim_start_matches(is_digit);
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(is_digit);
    }
    if let Some(power) = rest.strip_prefix(['e', 'E']) {
        let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
        if digits.starts_with(is_digit) {
            rest = digits.trim_start_matches(is_digit);
        }
    }
    if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')) {
        return Err("a number that touches a name".to_owned());
    }
    Ok(rest)
}

/// What is behind a regular expression. Some awks end it at a slash inside
/// brackets, some do not.
fn regex(text: &str) -> Result<&str, String> {
    let mut letters = text.chars();
    let mut in_brackets = false;
    // Whether a `]` stands for itself: behind `[` and `[^`.
    let mut first = false;
    let mut may_be_inside = false;
    while let Some(c) = letters.next() {
        let was_first = std::mem::take(&mut first);
        match c {
            '\n' => return Err("a line ends inside a pattern".to_owned()),
            '\\' => match letters.next() {
                None | Some('\n') => break,
                Some(_) => {}
            },
            '/' if in_brackets || may_be_inside => {
                return Err("a slash inside brackets".to_owned());
            }
            '/' => return Ok(letters.as_str()),
            '[' => {
                // Classes such as `[[:alpha:]]` count as open until all close.
                may_be_inside = in_brackets;
                in_brackets = true;
                first = true;
            }
            '^' if was_first => first = true,
            ']' if was_first => may_be_inside = true,
            ']' if may_be_inside => may_be_inside = false,
            ']' => in_brackets = false,
            _ => {}
        }
    }
    Err("a pattern does not end".to_owned())
}
