//! What an awk script does with files. Anything that could run a command, or
//! name a file that is not written out, is refused.

use countersign_core::effect::Touch;

use super::Named;
use super::tokens::{Token, tokens};

/// Functions and variables with which a script could do anything: run
/// commands, and change what it is not seen to change.
pub(super) const FORBIDDEN: &[&str] = &["system", "SYMTAB", "FUNCTAB"];

/// Most parentheses, brackets and braces inside one another.
const DEEPEST: usize = 100;

/// Signs behind which an expression has ended.
const ENDS: &[&str] = &[")", ";", "}", "&&", "||"];

/// The files that a script names; the error is what in it is not understood.
pub(super) fn script(text: &str) -> Result<Vec<Named>, String> {
    let tokens = tokens(text)?;
    let mut reader = Reader {
        tokens: &tokens,
        named: Vec::new(),
        open: Vec::new(),
        prints_at: None,
    };
    for at in 0..tokens.len() {
        reader.token(at)?;
    }
    Ok(reader.named)
}

struct Reader<'a> {
    tokens: &'a [Token],
    named: Vec<Named>,
    /// Open parentheses, brackets and braces.
    open: Vec<&'static str>,
    /// How many were open when the `print` that is being read began.
    prints_at: Option<usize>,
}

impl Reader<'_> {
    fn get(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at)
    }

    fn is_sign(&self, at: usize, signs: &[&str]) -> bool {
        matches!(self.get(at), Some(Token::Sign(sign)) if signs.contains(sign))
    }

    /// Whether an expression ends before this token.
    fn ends(&self, at: usize) -> bool {
        matches!(self.get(at), None | Some(Token::Newline)) || self.is_sign(at, ENDS)
    }

    /// Whether a newline ends a `print`. Where an expression must go on, some
    /// awks skip it.
    fn ends_line(&self, at: usize) -> bool {
        let is_inside = self
            .open
            .get(self.prints_at.unwrap_or_default()..)
            .is_some_and(|inner| !inner.is_empty());
        let before = at.checked_sub(1).and_then(|before| self.get(before));
        let goes_on = match before {
            None | Some(Token::Newline) => true,
            Some(Token::Sign(sign)) => !matches!(*sign, ")" | "]" | "}" | ";" | "++" | "--"),
            Some(Token::Name(name)) => name == "in",
            Some(Token::Number | Token::Text(_) | Token::Regex) => false,
        };
        !is_inside && !goes_on
    }

    fn token(&mut self, at: usize) -> Result<(), String> {
        match self.get(at) {
            Some(Token::Name(name)) => self.name(&name.clone(), at),
            Some(Token::Sign(sign)) => self.sign(sign, at),
            Some(Token::Newline) => {
                if self.ends_line(at) {
                    self.prints_at = None;
                }
                Ok(())
            }
            Some(Token::Number | Token::Text(_) | Token::Regex) | None => Ok(()),
        }
    }

    fn name(&mut self, name: &str, at: usize) -> Result<(), String> {
        match name {
            _ if FORBIDDEN.contains(&name) => Err(format!("`{name}` may run a command")),
            "print" | "printf" => {
                self.prints_at = Some(self.open.len());
                Ok(())
            }
            "getline" => self.getline(at),
            "ARGC" => Err("`ARGC` says which files are read".to_owned()),
            "ARGV" => self.argv(at),
            _ => Ok(()),
        }
    }

    /// The list of files may be compared, not changed: `FILENAME == ARGV[1]`.
    fn argv(&self, at: usize) -> Result<(), String> {
        let is_compared = at
            .checked_sub(1)
            .is_some_and(|before| self.is_sign(before, &["==", "!="]));
        let is_element = self.is_sign(at + 1, &["["])
            && matches!(self.get(at + 2), Some(Token::Number))
            && self.is_sign(at + 3, &["]"]);
        let ends = self.ends(at + 4) || self.is_sign(at + 4, &["{"]);
        if is_compared && is_element && ends {
            Ok(())
        } else {
            Err("`ARGV` says which files are read".to_owned())
        }
    }

    /// `getline`, `getline name`, both from a file that is written out.
    fn getline(&mut self, at: usize) -> Result<(), String> {
        let mut next = at + 1;
        if let Some(Token::Name(name)) = self.get(next) {
            if name == "in" || name == "ARGV" {
                return Err("`getline` is not understood".to_owned());
            }
            next += 1;
            if self.is_sign(next, &["["]) {
                let is_simple = matches!(self.get(next + 1), Some(Token::Name(_) | Token::Number))
                    && self.is_sign(next + 2, &["]"]);
                if !is_simple {
                    return Err("`getline` is not understood".to_owned());
                }
                next += 3;
            }
        }
        if self.is_sign(next, &["<"]) {
            let named = self.file(next + 1, Touch::Read)?;
            self.named.push(named);
            return Ok(());
        }
        if self.ends(next) || self.is_sign(next, &[">", "==", "!=", "<=", ">="]) {
            return Ok(());
        }
        Err("`getline` is not understood".to_owned())
    }

    /// A file that is written out as a text, and nothing behind it that could
    /// make it longer.
    fn file(&self, at: usize, touch: Touch) -> Result<Named, String> {
        let Some(Token::Text(path)) = self.get(at) else {
            return Err("the name of a file is known only when it runs".to_owned());
        };
        let ends = if touch == Touch::Read {
            self.ends(at + 1) || self.is_sign(at + 1, &[">", "==", "!=", "<=", ">="])
        } else {
            self.ends(at + 1) && !self.is_sign(at + 1, &["&&", "||"])
        };
        if !ends {
            return Err("the name of a file is known only when it runs".to_owned());
        }
        // `/inet/…` is a connection; a leading `~` is no home folder here.
        if path.is_empty()
            || path.contains('\\')
            || path.starts_with("/inet")
            || path.starts_with('~')
        {
            return Err("the name of a file is not understood".to_owned());
        }
        Ok(Named {
            touch,
            path: path.clone(),
        })
    }

    fn sign(&mut self, sign: &'static str, at: usize) -> Result<(), String> {
        match sign {
            "|" | "|&" => return Err("`|` runs a command".to_owned()),
            "(" | "[" | "{" => {
                if self.open.len() >= DEEPEST {
                    return Err("very deep nesting".to_owned());
                }
                self.open.push(sign);
            }
            ")" | "]" | "}" => {
                let opened = match sign {
                    ")" => "(",
                    "]" => "[",
                    _ => "{",
                };
                if self.open.pop() != Some(opened) {
                    return Err("parentheses that do not match".to_owned());
                }
                if self.prints_at.is_some_and(|open| self.open.len() < open) {
                    self.prints_at = None;
                }
            }
            ";" => self.prints_at = None,
            ">" | ">>" => return self.redirect(sign, at),
            _ => {}
        }
        Ok(())
    }

    /// A comparison, or where `print` writes.
    fn redirect(&mut self, sign: &str, at: usize) -> Result<(), String> {
        let Some(prints_at) = self.prints_at else {
            return if sign == ">" {
                Ok(())
            } else {
                Err("`>>` outside of `print`".to_owned())
            };
        };
        let inner = self.open.get(prints_at..).unwrap_or_default();
        if !inner.is_empty() {
            return if sign == ">" && inner.iter().all(|open| *open == "(") {
                Ok(())
            } else {
                Err("`>` may compare, or write".to_owned())
            };
        }
        let touch = if sign == ">" {
            Touch::Write
        } else {
            Touch::Edit
        };
        let named = self.file(at + 1, touch)?;
        self.named.push(named);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::script;

    fn files(text: &str) -> Option<Vec<String>> {
        script(text)
            .ok()
            .map(|named| named.into_iter().map(|file| file.path).collect())
    }

    #[test]
    fn scripts_that_only_calculate_name_no_file() {
        for text in [
            "{print $1}",
            "$5 > 10 && /a|b/ {n++} END{print n / 2}",
            "NR==1{min=$1} {if($1>max) max=$1} END{print \"m\", min, (max > 3)}",
            "BEGIN{FS=\",\"} $2 ~ /^[0-9]+$/ {print $1\n}",
            "function f(a, b) { return a / b }\n{ print f($1, $2) }",
            "{ a[$1] = a[$1] \" \" $2 } END { for (k in a) print k, a[k] | 0 }",
        ] {
            let expected = (!text.contains("| 0")).then(Vec::new);
            assert_eq!(files(text), expected, "{text}");
        }
    }

    #[test]
    fn files_that_are_written_out_are_known() {
        assert_eq!(files("{print > \"out\"}"), Some(vec!["out".to_owned()]));
        assert_eq!(
            files("{print $1,\n $2 >> \"out\"; x = 1 > 2}"),
            Some(vec!["out".to_owned()])
        );
        assert_eq!(
            files("BEGIN{while ((getline line < \"in\") > 0) n++}"),
            Some(vec!["in".to_owned()])
        );
        assert_eq!(files("{print (1) > \"o\"}"), Some(vec!["o".to_owned()]));
    }

    #[test]
    fn whatever_could_run_or_hide_something_is_refused() {
        for text in [
            "BEGIN{system(\"x\")}",
            "BEGIN{\"x\" | getline}",
            "{print | \"x\"}",
            "{print |& \"x\"}",
            "{print > $1}",
            "{print > \"a\" \".txt\"}",
            "{print > (\"a\")}",
            "BEGIN{getline < ARGV[1]}",
            "BEGIN{getline x < \"a\" \"b\"}",
            "BEGIN{ARGV[1]=\"x\"}",
            "BEGIN{x == ARGV[1] = \"x\"}",
            "BEGIN{split(\"a b\", ARGV)}",
            "BEGIN{f=\"system\"; @f(\"x\")}",
            "@include \"x\"\n{print}",
            "BEGIN{awk::system(\"x\")}",
            "BEGIN{if (1) /\"/; system(\"x\") #\"/ }",
            "/[/]/ {print}",
            "/[[:alpha:]/]/",
            "{print a[1 > \"x\"]}",
            "{print 1 > \"/inet/tcp/0/h/80\"}",
            "{x++ /2/ 3}",
            "0xfprint > $1",
            "1print > $1",
            "{print \"a",
            "/a",
            "{print a,\n> $1}",
            "{if (x) /\"/; print > $1 #\"/ }",
            "SYMTAB[\"x\"]",
        ] {
            assert_eq!(files(text), None, "{text}");
        }
    }
}
