//! Rules about Rust sources, judged by their tokens.

use anyhow::{Context as _, Result};
use proc_macro2::{TokenStream, TokenTree};

use super::tokens;
use crate::finding::Finding;
use crate::repository::TrackedFile;

/// Names that only some folders may use.
struct Border {
    /// The first parts of a path.
    path: &'static str,
    /// Where it may stand; empty for nowhere.
    only: &'static [&'static str],
    /// Where the rule holds; empty for everywhere.
    within: &'static [&'static str],
    remedy: &'static str,
}

const PURE: &[&str] = &["server/core/src/", "server/shell/src/"];

const fn outside_pure(path: &'static str) -> Border {
    Border {
        path,
        only: &[],
        within: PURE,
        remedy: "core and shell are pure; take it as a fact or through a port",
    }
}

/// Who speaks with other machines: what leaves this one is seen in one place.
const NETWORK: &[&str] = &[
    "server/classifier/",
    "server/telemetry/",
    "server/user-hooks/",
];

const fn network(path: &'static str) -> Border {
    Border {
        path,
        only: NETWORK,
        within: &[],
        remedy: "only server/classifier, server/telemetry and server/user-hooks speak with other machines",
    }
}

const BORDERS: &[Border] = &[
    Border {
        path: "tower_lsp",
        only: &["server/lsp/"],
        within: &[],
        remedy: "only server/lsp speaks the protocol",
    },
    Border {
        path: "lsp_types",
        only: &["server/lsp/"],
        within: &[],
        remedy: "only server/lsp speaks the protocol",
    },
    Border {
        path: "rusqlite",
        only: &["server/store/"],
        within: &["server/"],
        remedy: "only server/store knows SQL; go through its interface",
    },
    network("reqwest"),
    network("hyper"),
    network("hyper_util"),
    network("rustls"),
    network("std::net::TcpStream"),
    network("std::net::UdpSocket"),
    network("tokio::net::TcpStream"),
    network("tokio::net::UdpSocket"),
    outside_pure("std::fs"),
    outside_pure("std::env"),
    outside_pure("std::net"),
    outside_pure("std::process"),
    outside_pure("std::os"),
    outside_pure("std::io::stdin"),
    outside_pure("std::time::Instant"),
    outside_pure("std::time::SystemTime"),
    outside_pure("tokio"),
];

/// The files that may say `unsafe`.
const UNSAFE: &[&str] = &[
    "server/cli/src/hook_main.rs",
    "server/hook/src/fatal.rs",
    "server/hook/tests/fatal/main.rs",
];

/// The crates in which nothing may be indexed or sliced that can fail.
const CHECKED_ACCESS: &[&str] = &[
    "server/core/src/lib.rs",
    "server/shell/src/lib.rs",
    "server/agents/src/lib.rs",
    "server/ipc/src/lib.rs",
];

/// The lints that say so to clippy.
const ACCESS_LINTS: &[&str] = &["indexing_slicing", "string_slice"];

/// The most lines of a file below `server/*/src`.
const MOST_LINES: usize = 600;

/// The files that may be longer. `protocol.rs` is a list, not code: whoever
/// writes a client finds every message and type in it, and `docs/protocol.md`
/// and the golden files in `tests/protocol/` are locked to this one file.
const MAY_BE_LONGER: &[&str] = &["server/lsp/src/protocol.rs"];

/// The longest fixed wait in a test.
const MOST_MILLISECONDS: u64 = 100;

pub(super) fn check(files: &[TrackedFile]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        if let Some(text) = file.text()? {
            findings
                .extend(check_file(&file.path, &text).with_context(|| format!("{} ", file.path))?);
        }
    }
    Ok(findings)
}

fn check_file(path: &str, text: &str) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut found = |line: usize, problem: String, remedy: &str| {
        findings.push(Finding {
            file: path.to_owned(),
            line,
            problem,
            remedy: remedy.to_owned(),
        });
    };
    let all = tokens::parse(text)?;
    let is_test = is_test_file(path);

    let lines = text.lines().count();
    if is_product(path) && lines > MOST_LINES && !MAY_BE_LONGER.contains(&path) {
        let problem = format!("{lines} lines, more than {MOST_LINES}");
        found(MOST_LINES + 1, problem, "split it by subject");
    }

    if !is_test {
        for used in tokens::paths(tokens::without_tests(all.clone())) {
            for border in BORDERS {
                if crosses(border, path, &used.path) {
                    found(used.line, format!("names {}", border.path), border.remedy);
                }
            }
        }
    }

    if !UNSAFE.contains(&path) {
        for line in keyword_lines(all.clone(), "unsafe") {
            found(
                line,
                "says unsafe".to_owned(),
                "use a safe interface; the exceptions are listed in xtask/src/lints/sources.rs",
            );
        }
    }

    for (attribute, line) in tokens::attributes(all.clone()) {
        if first_ident(attribute).as_deref() == Some("ignore") {
            found(
                line,
                "an ignored test".to_owned(),
                "make it run everywhere or remove it",
            );
        }
    }

    for (arguments, line) in tokens::calls(all.clone(), "sleep") {
        let tested = is_test || !in_product_code(&all, line);
        if tested && fixed_wait(arguments).is_some_and(|wait| wait > MOST_MILLISECONDS) {
            found(
                line,
                format!("a test sleeps more than {MOST_MILLISECONDS} ms"),
                "wait for the condition in short steps",
            );
        }
    }

    if CHECKED_ACCESS.contains(&path) {
        for lint in ACCESS_LINTS {
            if !enables(all.clone(), lint) {
                found(
                    1,
                    format!("clippy::{lint} is not on"),
                    "add #![warn(clippy::indexing_slicing, clippy::string_slice)]",
                );
            }
        }
    }
    Ok(findings)
}

fn is_product(path: &str) -> bool {
    path.starts_with("server/") && path.split('/').nth(2) == Some("src")
}

/// Whether the whole file is compiled for tests only, by its place and name.
fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.contains("/benches/")
        || name == "tests.rs"
        || name.ends_with("_tests.rs")
}

fn crosses(border: &Border, file: &str, used: &str) -> bool {
    let starts = |folders: &[&str]| folders.iter().any(|folder| file.starts_with(folder));
    let named = used
        .strip_prefix(border.path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    named && !starts(border.only) && (border.within.is_empty() || starts(border.within))
}

fn keyword_lines(tokens: TokenStream, keyword: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => lines.extend(keyword_lines(group.stream(), keyword)),
            TokenTree::Ident(ident) if ident == keyword => lines.push(ident.span().start().line),
            _ => {}
        }
    }
    lines
}

fn first_ident(tokens: TokenStream) -> Option<String> {
    match tokens.into_iter().next()? {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    }
}

/// Whether the call of that line stands outside of everything that is for
/// tests only.
fn in_product_code(all: &TokenStream, line: usize) -> bool {
    tokens::calls(tokens::without_tests(all.clone()), "sleep")
        .iter()
        .any(|(_, product)| *product == line)
}

/// The milliseconds of a duration that is written out.
fn fixed_wait(arguments: TokenStream) -> Option<u64> {
    for (constructor, milliseconds) in [("from_millis", 1), ("from_secs", 1000)] {
        if let Some((value, _)) = tokens::calls(arguments.clone(), constructor)
            .into_iter()
            .next()
        {
            let number = value.to_string().replace('_', "");
            return number.parse::<u64>().ok()?.checked_mul(milliseconds);
        }
    }
    None
}

/// Whether the crate switches the lint on for all of itself.
fn enables(tokens: TokenStream, lint: &str) -> bool {
    tokens::attributes(tokens)
        .into_iter()
        .any(|(attribute, _)| {
            matches!(
                first_ident(attribute.clone()).as_deref(),
                Some("warn" | "deny" | "forbid")
            ) && !keyword_lines(attribute, lint).is_empty()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        check_file(path, text)
            .unwrap()
            .into_iter()
            .map(|finding| format!("{}: {}", finding.line, finding.problem))
            .collect()
    }

    #[test]
    fn pure_crates_do_not_reach_out() {
        let text = "use std::{\n    env,\n    fs::File,\n};\n#[cfg(test)]\nmod tests { use std::process; }";
        assert_eq!(
            problems("server/core/src/x.rs", text),
            ["2: names std::env", "3: names std::fs"]
        );
        assert_eq!(problems("server/engine/src/x.rs", text), [] as [&str; 0]);
        assert_eq!(
            problems("server/core/src/x_tests.rs", text),
            [] as [&str; 0]
        );
        assert_eq!(problems("server/core/tests/it/x.rs", text), [] as [&str; 0]);
    }

    #[test]
    fn names_stay_behind_their_borders() {
        for (path, text, refused) in [
            ("server/cli/src/a.rs", "use rusqlite::Connection;", true),
            ("server/store/src/a.rs", "use rusqlite::Connection;", false),
            ("server/cli/src/a.rs", "use lsp_types as types;", true),
            ("server/lsp/src/a.rs", "use lsp_types::Url;", false),
            (
                "server/cli/src/a.rs",
                "fn f() { rusqlite_like::g(); }",
                false,
            ),
            ("server/service/src/a.rs", "use reqwest::Client;", true),
            ("server/cli/src/a.rs", "fn f() { hyper::body(); }", true),
            ("server/cli/src/a.rs", "use tokio::net::TcpStream;", true),
            ("server/ipc/src/a.rs", "use tokio::net::UnixStream;", false),
            ("server/classifier/src/a.rs", "use reqwest::Client;", false),
            ("server/telemetry/src/a.rs", "use hyper::Request;", false),
            ("server/classifier2/src/a.rs", "use reqwest::Client;", true),
        ] {
            assert_eq!(!problems(path, text).is_empty(), refused, "{path}: {text}");
        }
    }

    #[test]
    fn unsafe_stands_in_named_files_only() {
        let text = "fn f() { unsafe { g() } }";
        assert_eq!(problems("server/ipc/src/a.rs", text).len(), 1);
        assert_eq!(problems("server/hook/src/fatal.rs", text).len(), 0);
        assert_eq!(
            problems("server/ipc/src/a.rs", "#![deny(unsafe_code)]").len(),
            0
        );
    }

    #[test]
    fn tests_run_and_do_not_sleep() {
        let text = "#[test]\n#[ignore = \"slow\"]\nfn f() {\n sleep(Duration::from_secs(1));\n sleep(Duration::from_millis(5)); }\nfn product() { sleep(Duration::from_secs(9)) }";
        assert_eq!(
            problems("server/ipc/src/a.rs", text),
            ["2: an ignored test", "4: a test sleeps more than 100 ms"]
        );
    }

    #[test]
    fn files_stay_short_and_access_checked() {
        let long = "\n".repeat(601);
        assert_eq!(problems("server/ipc/src/a.rs", &long).len(), 1);
        assert_eq!(problems("server/ipc/tests/it/a.rs", &long).len(), 0);
        assert_eq!(problems("server/lsp/src/protocol.rs", &long).len(), 0);
        assert_eq!(problems("server/ipc/src/protocol.rs", &long).len(), 1);
        assert_eq!(problems("server/ipc/src/lib.rs", "").len(), 2);
        let on = "#![warn(clippy::indexing_slicing, clippy::string_slice)]";
        assert_eq!(problems("server/ipc/src/lib.rs", on).len(), 0);
        let off = "#![allow(clippy::indexing_slicing, clippy::string_slice)]";
        assert_eq!(problems("server/ipc/src/lib.rs", off).len(), 2);
    }
}
