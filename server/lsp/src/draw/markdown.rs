//! Markdown in which text of agents can neither leave its code block nor move
//! the cursor, nor become a link.

use countersign_core::redact;

/// A code block with the text, line by line. Its fence is longer than any run
/// of backticks in the text, which so cannot close it.
pub(crate) fn block(language: &str, text: &str) -> String {
    let text = redact::visible_lines(text);
    let fence = "`".repeat(longest_run(&text).saturating_add(1).max(3));
    let end = if text.ends_with('\n') || text.is_empty() {
        ""
    } else {
        "\n"
    };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

/// The text as code within a line.
pub(super) fn code(text: &str) -> String {
    let text = redact::visible(text);
    if text.is_empty() {
        return "(nothing)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text).saturating_add(1));
    // One space on both sides is taken away again; needed beside a backtick,
    // and where the text itself has such spaces.
    let apart = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let space = if apart { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0_usize;
    let mut run = 0_usize;
    for character in text.chars() {
        run = if character == '`' {
            run.saturating_add(1)
        } else {
            0
        };
        longest = longest.max(run);
    }
    longest
}

/// Words on one line of plain text, for clients that take some Markdown in it
/// for links (Visual Studio Code) or all of it for Markdown (Zed): nothing in
/// them becomes one.
pub(crate) fn without_links(text: &str) -> String {
    unlinked(&redact::visible(text))
        .replace("://", ":\\//")
        // A backslash before ours would take its effect away.
        .replace("\\<", "\\ <")
        .replace('<', "\\<")
}

/// Code on one line, likewise; inside of code only links in brackets are taken
/// for links.
pub(crate) fn code_without_links(text: &str) -> String {
    code(&unlinked(text))
}

fn unlinked(text: &str) -> String {
    text.replace("](", "]\\(")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_block_cannot_be_closed_from_inside() {
        assert_eq!(block("sh", "ls"), "```sh\nls\n```\n");
        assert_eq!(block("sh", "```\n# x"), "````sh\n```\n# x\n````\n");
        assert_eq!(block("", "````"), "`````\n````\n`````\n");
        assert_eq!(block("", ""), "```\n```\n");
        assert_eq!(block("", "a\n"), "```\na\n```\n");
    }

    #[test]
    fn code_in_a_line_stays_in_it() {
        assert_eq!(code("ls"), "`ls`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(code(" "), "`   `");
        assert_eq!(code("a\nb\u{202e}"), "`a\\nb<U+202E>`");
        assert_eq!(code(""), "(nothing)");
    }

    #[test]
    fn nothing_becomes_a_link() {
        assert_eq!(
            without_links("[x](command:y) <https://z>"),
            "[x]\\(command:y) \\<https:\\//z>"
        );
        assert_eq!(without_links("\\<https:x>"), "\\ \\<https:x>");
        assert_eq!(code_without_links("[x](http://y)"), "`[x]\\(http://y)`");
    }

    proptest! {
        /// As CommonMark reads it: the first line of at least as many backticks
        /// and nothing else closes the block.
        #[test]
        fn only_the_last_line_closes_a_block(text in "[`a \n]{0,40}|\\PC{0,40}") {
            let block = block("text", &text);
            let fence = block.chars().take_while(|c| *c == '`').count();
            let closing: Vec<usize> = block
                .lines()
                .enumerate()
                .skip(1)
                .filter(|(_, line)| {
                    let line = line.trim();
                    line.len() >= fence && line.chars().all(|c| c == '`')
                })
                .map(|(number, _)| number)
                .collect();
            prop_assert_eq!(closing, vec![block.lines().count() - 1]);
        }
    }
}
