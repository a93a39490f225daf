//! Where a file pattern can lead: the deepest folder that holds all it could
//! match. Too wide is safe here, too deep is not.

/// Characters that make a segment of a pattern more than a name.
const SPECIAL: &[char] = &['*', '?', '[', ']', '{', '}', '(', ')', '!', '|', '\\'];

/// The path below which, or at which, everything lies that `pattern` could
/// match when it is looked up in `base`.
pub(crate) fn root(base: &str, pattern: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut segments = pattern.split('/').peekable();
    while let Some(segment) = segments.next_if(|segment| !segment.contains(SPECIAL)) {
        names.push(segment);
    }
    if segments.any(leads_elsewhere) {
        return "/".to_owned();
    }
    let fixed = names.join("/");
    if fixed.is_empty() && pattern.starts_with('/') {
        "/".to_owned()
    } else if fixed.is_empty() {
        base.to_owned()
    } else if fixed.starts_with('/') || fixed.starts_with('~') || base == "." {
        fixed
    } else {
        format!("{base}/{fixed}")
    }
}

/// The paths that an entry of a list of files to read stands for. A leading
/// `@` is how people mention files; agents strip it, or look for the name with
/// it, so both count.
pub(crate) fn included(entry: &str) -> Vec<String> {
    let mut paths = vec![root(".", entry)];
    if let Some(rest) = entry.strip_prefix('@') {
        paths.push(root(".", rest));
    }
    paths
}

/// Whether a segment behind the fixed part could lead out of it: `..`, also
/// spelt by alternatives, and alternatives that span segments.
fn leads_elsewhere(segment: &str) -> bool {
    let opens = segment.matches(['{', '(']).count();
    let closes = segment.matches(['}', ')']).count();
    let dot_first = segment.contains("{.") || segment.contains(",.");
    let dot_beside = segment.contains(".{") || segment.contains("}.") || segment.contains("}{");
    opens != closes || segment.contains("..") || segment.contains('\\') || (dot_first && dot_beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_part_is_the_root() {
        for (base, pattern, expected) in [
            (".", "**/*.rs", "."),
            (".", "src/**/*.{ts,tsx}", "src"),
            (".", "docs/guide.md", "docs/guide.md"),
            ("/work/app", "src/*", "/work/app/src"),
            ("/work/app", "/etc/ssh/*", "/etc/ssh"),
            ("/work/app", "/*", "/"),
            ("/work/app", "../other/*", "/work/app/../other"),
            (".", "~/.ssh/*", "~/.ssh"),
            (".", "!(node_modules)/**", "."),
            (".", "app/(group)/page.tsx", "app"),
            (".", "{.eslintrc,.prettierrc}*", "."),
            (".", "", "."),
        ] {
            assert_eq!(root(base, pattern), expected, "{base} {pattern}");
        }
    }

    #[test]
    fn what_could_lead_elsewhere_reaches_everything() {
        for pattern in [
            "*/../../etc/passwd",
            "{/etc,src}/*",
            "{..,src}/*",
            ".{.,x}/secret",
            "{.,x}{.,y}/secret",
            "{.,x}./secret",
            "@(/etc|src)/*",
            "src/{a/b,../..}/*",
            "*\\/..",
        ] {
            assert_eq!(root("/work/app", pattern), "/", "{pattern}");
        }
    }

    #[test]
    fn a_mention_counts_with_and_without_its_sign() {
        assert_eq!(included("@/etc/shadow"), ["@/etc/shadow", "/etc/shadow"]);
        assert_eq!(included("src/*.rs"), ["src"]);
    }
}
