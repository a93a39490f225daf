//! Options as GNU programs read them.

use countersign_core::command::Word;

/// What options a program has, and how many operands stand before the command
/// that it runs.
pub(crate) struct Spec {
    /// The program's names.
    pub(crate) names: &'static [&'static str],
    /// Whether it only changes how the command runs.
    pub(crate) is_transparent: bool,
    /// Letters of options without a value.
    pub(crate) flags: &'static str,
    /// Letters of options with a value.
    pub(crate) values: &'static str,
    /// Letters of options whose value, if any, is attached.
    pub(crate) attached: &'static str,
    /// Long options without a value, or with one after `=` at most.
    pub(crate) long_flags: &'static [&'static str],
    /// Long options with a value.
    pub(crate) long_values: &'static [&'static str],
    /// Operands before the command.
    pub(crate) operands: usize,
    /// Whether `-5` is an option.
    pub(crate) takes_numbers: bool,
}

impl Spec {
    /// No options, no operands.
    pub(crate) const NONE: Self = Self {
        names: &[],
        is_transparent: false,
        flags: "",
        values: "",
        attached: "",
        long_flags: &[],
        long_values: &[],
        operands: 0,
        takes_numbers: false,
    };
}

/// An option that was given.
pub(crate) struct Given {
    /// The letter, or the long name.
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// What stands before the command.
pub(crate) struct Before {
    pub(crate) options: Vec<Given>,
    /// Index of the first word after options and operands.
    pub(crate) next: usize,
}

impl Before {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|given| given.name == name)
    }

    /// The last value of an option.
    pub(crate) fn value(&self, names: &[&str]) -> Option<&str> {
        self.options
            .iter()
            .rev()
            .find(|given| names.contains(&given.name.as_str()))?
            .value
            .as_deref()
    }
}

/// Reads options from `from` on; `None` if one is not understood, or a word
/// among them is not known.
pub(crate) fn read(words: &[Word], from: usize, spec: &Spec) -> Option<Before> {
    let mut before = Before {
        options: Vec::new(),
        next: from,
    };
    while let Some(word) = words.get(before.next) {
        let text = word.literal()?;
        if text == "--" {
            before.next += 1;
            break;
        }
        if !text.starts_with('-') || text == "-" {
            break;
        }
        before.next += 1;
        if let Some(long) = text.strip_prefix("--") {
            long_option(long, words, spec, &mut before)?;
        } else if spec.takes_numbers && text.len() > 1 && is_number(text) {
            before.options.push(Given {
                name: "number".to_owned(),
                value: Some(text.to_owned()),
            });
        } else {
            letters(text, words, spec, &mut before)?;
        }
    }
    for _ in 0..spec.operands {
        if let Some(word) = words.get(before.next) {
            word.literal()?;
            before.next += 1;
        }
    }
    Some(before)
}

fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches('-').trim_start_matches('+');
    text.len() - digits.len() <= 2
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn long_option(long: &str, words: &[Word], spec: &Spec, before: &mut Before) -> Option<()> {
    let (name, attached) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (long, None),
    };
    let value = if spec.long_values.contains(&name) {
        match attached {
            Some(value) => Some(value),
            None => {
                let word = words.get(before.next)?.literal()?;
                before.next += 1;
                Some(word.to_owned())
            }
        }
    } else if spec.long_flags.contains(&name) {
        attached
    } else {
        return None;
    };
    before.options.push(Given {
        name: name.to_owned(),
        value,
    });
    Some(())
}

fn letters(text: &str, words: &[Word], spec: &Spec, before: &mut Before) -> Option<()> {
    let mut rest = text.chars();
    rest.next();
    while let Some(letter) = rest.next() {
        let name = letter.to_string();
        if spec.flags.contains(letter) {
            before.options.push(Given { name, value: None });
        } else if spec.attached.contains(letter) {
            let value = Some(rest.as_str().to_owned());
            before.options.push(Given { name, value });
            return Some(());
        } else if spec.values.contains(letter) {
            let value = if rest.as_str().is_empty() {
                let word = words.get(before.next)?.literal()?;
                before.next += 1;
                word
            } else {
                rest.as_str()
            };
            let value = Some(value.to_owned());
            before.options.push(Given { name, value });
            return Some(());
        } else {
            return None;
        }
    }
    Some(())
}
