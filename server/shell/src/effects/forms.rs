//! Commands that are harmless only in a few fixed forms, such as
//! `service nginx status`: the forms are data (`forms` in the knowledge base),
//! and what matches none of them is judged by the rest of the entry.

use countersign_core::command::Word;
use countersign_core::effect::Touch;

use super::Finder;

/// Characters of names besides letters and digits. Without slashes: a name is
/// never a path.
const IN_NAMES: &str = "_.@+-,:%";

/// What a word of a form stands for.
enum Token<'a> {
    /// One of these texts.
    Texts(&'a str),
    /// A word that begins so: `--sort=`.
    Beginning(&'a str),
    /// A word made of these characters: `[aux]`.
    Letters(&'a str),
    /// A name: of a service, a device, a package.
    Name,
    /// Any text that is no option.
    Text,
    /// A file that is read.
    Read,
    /// A file or folder that is looked at.
    List,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    One,
    Optional,
    Any,
}

fn token(text: &str) -> (Token<'_>, Count) {
    let (text, count) = if let Some(text) = text.strip_suffix('*') {
        (text, Count::Any)
    } else if let Some(text) = text.strip_suffix('?') {
        (text, Count::Optional)
    } else {
        (text, Count::One)
    };
    let token = match text {
        "NAME" => Token::Name,
        "TEXT" => Token::Text,
        "READ" => Token::Read,
        "LIST" => Token::List,
        _ => match text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
        {
            Some(letters) => Token::Letters(letters),
            None if text.ends_with('=') => Token::Beginning(text),
            None => Token::Texts(text),
        },
    };
    (token, count)
}

/// Whether a word is what the token stands for, and what is done with it then.
fn matches(token: &Token<'_>, word: &str) -> Option<Option<Touch>> {
    let is_plain = !word.starts_with('-') && !word.is_empty();
    let fits = match token {
        Token::Texts(texts) => texts.split('|').any(|text| text == word),
        Token::Beginning(beginning) => word.starts_with(beginning),
        Token::Letters(letters) => !word.is_empty() && word.chars().all(|c| letters.contains(c)),
        Token::Name => {
            is_plain
                && !word.contains("..")
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || IN_NAMES.contains(c))
        }
        Token::Text => is_plain,
        // What holds a colon may be an address.
        Token::Read | Token::List => is_plain && !word.contains(':'),
    };
    fits.then_some(match token {
        Token::Read => Some(Touch::Read),
        Token::List => Some(Touch::List),
        Token::Texts(_) | Token::Beginning(_) | Token::Letters(_) | Token::Name | Token::Text => {
            None
        }
    })
}

impl Finder<'_> {
    /// Whether the words have one of the forms; what that form does is then
    /// said.
    pub(super) fn has_form(&mut self, forms: &[&str], words: &[Word]) -> bool {
        let Some(texts) = words
            .iter()
            .map(Word::literal)
            .collect::<Option<Vec<&str>>>()
        else {
            return false;
        };
        let Some(touches) = forms.iter().find_map(|form| touches(form, &texts)) else {
            return false;
        };
        for (word, touch) in words.iter().zip(touches) {
            if let Some(touch) = touch {
                self.touch(touch, &word.value, word.span.clone(), false);
            }
        }
        true
    }
}

/// What is done with each word if the words have this form. Repeated tokens
/// take all the words that they can.
fn touches(form: &str, words: &[&str]) -> Option<Vec<Option<Touch>>> {
    let mut rest = words.iter().peekable();
    let mut touches = Vec::with_capacity(words.len());
    for (token, count) in form.split_whitespace().map(token) {
        let mut found = 0_usize;
        while let Some(touch) = rest.peek().and_then(|word| matches(&token, word)) {
            rest.next();
            touches.push(touch);
            found += 1;
            if count != Count::Any {
                break;
            }
        }
        if found == 0 && count == Count::One {
            return None;
        }
    }
    rest.peek().is_none().then_some(touches)
}

#[cfg(test)]
mod tests {
    use super::touches;

    #[test]
    fn a_form_matches_whole_commands_only() {
        let form = "-4|-6* addr|a show|list NAME? --sort=* [xyz]?";
        for words in [
            "addr show",
            "-4 -6 a list eth0",
            "a list --sort=a --sort=b",
            "addr show eth0 zxy",
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            assert!(touches(form, &words).is_some(), "{words:?}");
        }
        for words in [
            "addr",
            "addr add",
            "-5 addr show",
            "addr show ../x",
            "addr show -x",
            "addr show eth0 eth1",
            "addr show eth0 xq",
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            assert!(touches(form, &words).is_none(), "{words:?}");
        }
    }

    #[test]
    fn files_in_a_form_are_read() {
        let touched = touches("-l -f READ", &["-l", "-f", "a"]).unwrap();
        assert_eq!(touched.iter().flatten().count(), 1);
    }
}
