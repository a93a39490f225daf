//! What `echo`, `printf` and `seq` print, where their words leave no doubt.

use countersign_core::command::SimpleCommand;

impl crate::walk::Walker {
    /// What the command prints; `None` if that is not certain.
    pub(crate) fn printed(&self, index: usize) -> Option<String> {
        let command = self.commands.get(index)?;
        let name = command.name()?;
        if self.functions.contains(name) || !command.assignments.is_empty() {
            return None;
        }
        if name == "cat" {
            let here = command
                .redirects
                .iter()
                .all(|redirect| redirect.kind == countersign_core::command::RedirectKind::Here);
            let text = self.inputs.get(&index)?;
            return (command.words.len() == 1 && here).then(|| text.clone());
        }
        if !command.redirects.is_empty() {
            return None;
        }
        match name {
            "echo" => echo(command),
            "printf" => printf(command),
            "seq" => super::numbers::seq(command),
            _ => None,
        }
    }
}

fn echo(command: &SimpleCommand) -> Option<String> {
    let mut words = Vec::new();
    for word in command.words.iter().skip(1) {
        words.push(word.literal()?);
    }
    let mut end = "\n";
    let mut rest = words.as_slice();
    while let [first, after @ ..] = rest {
        match *first {
            "-n" => end = "",
            // Escapes, and their order: it depends on the shell.
            option if is_option(option) => return None,
            _ => break,
        }
        rest = after;
    }
    let text = rest.join(" ");
    // Some shells take escapes without being asked.
    (!text.contains('\\')).then(|| text + end)
}

fn is_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|letters| {
        !letters.is_empty() && letters.chars().all(|next| "neE".contains(next))
    })
}

fn printf(command: &SimpleCommand) -> Option<String> {
    let mut words = Vec::new();
    for word in command.words.iter().skip(1) {
        words.push(word.literal()?);
    }
    let (format, mut arguments) = match words.as_slice() {
        ["--", format, arguments @ ..] => (*format, arguments.iter()),
        [option, ..] if option.starts_with('-') => return None,
        [format, arguments @ ..] => (*format, arguments.iter()),
        [] => return None,
    };
    let mut printed = String::new();
    // The format is used again while arguments are left.
    loop {
        let before = arguments.len();
        let mut rest = format.chars().peekable();
        while let Some(next) = rest.next() {
            match next {
                '%' => match rest.next()? {
                    '%' => printed.push('%'),
                    's' => printed.push_str(arguments.next().copied().unwrap_or_default()),
                    _ => return None,
                },
                '\\' => printed.push(escaped(&mut rest)?),
                other => printed.push(other),
            }
        }
        if arguments.len() == 0 {
            return Some(printed);
        }
        if arguments.len() == before || printed.len() > super::EXPANDED {
            return None;
        }
    }
}

/// The character that an escape in a format stands for.
fn escaped(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    let (radix, most, mut value) = match rest.next()? {
        'n' => return Some('\n'),
        't' => return Some('\t'),
        '\\' => return Some('\\'),
        'x' => (16, 2, None),
        digit @ '0'..='7' => (8, 2, digit.to_digit(8)),
        _ => return None,
    };
    for _ in 0..most {
        let Some(digit) = rest.peek().and_then(|next| next.to_digit(radix)) else {
            break;
        };
        rest.next();
        value = Some(value.unwrap_or(0) * radix + digit);
    }
    // Bytes above ASCII may be parts of a character.
    let value = value.filter(|value| (1..0x80).contains(value))?;
    char::from_u32(value)
}
