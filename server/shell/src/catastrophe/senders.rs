//! Programs that send to other machines, and which of their words say what.

use std::ops::Range;

use countersign_core::command::{SimpleCommand, Stdin, Word};
use countersign_core::programs;

use super::literals;
use super::shells::is_unknown;

/// What a command sends.
pub(super) struct Sender<'a> {
    /// Whether it sends its standard input.
    pub(super) takes_input: bool,
    /// The files that it sends.
    pub(super) files: Vec<&'a str>,
    /// The words whose content it sends and that are not known.
    pub(super) inserts: Vec<Range<usize>>,
    /// Whether such words may as well hold what the other side asks for: only
    /// a whole file in them is certain.
    pub(super) whole_only: bool,
}

/// What a command sends to another machine, if that is what it is for.
pub(super) fn sender(command: &SimpleCommand) -> Option<Sender<'_>> {
    let name = programs::table_name(command.name()?);
    let is_local = literals(command).any(|word| {
        ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|host| word.contains(host))
    });
    if is_local {
        return None;
    }
    let has_input = command.stdin != Stdin::Inherited;
    let words: Vec<&str> = literals(command).collect();
    let none = Sender {
        takes_input: false,
        files: Vec::new(),
        inserts: Vec::new(),
        whole_only: false,
    };
    let has = |word: &str| words.contains(&word);
    let sender = match name.as_str() {
        "curl" => {
            let files = curl_files(command);
            Sender {
                takes_input: has_input && files.contains(&"-"),
                files,
                inserts: curl_inserts(command),
                whole_only: true,
            }
        }
        "wget" => {
            let files = values(&words, &["--post-file", "--body-file"]);
            Sender {
                takes_input: has_input && files.contains(&"-"),
                files,
                inserts: unknown(command),
                whole_only: true,
            }
        }
        "nc" | "ncat" | "netcat" | "telnet" | "mail" | "mailx" | "sendmail" | "mutt" => Sender {
            takes_input: has_input,
            ..none
        },
        "openssl" => Sender {
            takes_input: has_input && has("s_client"),
            ..none
        },
        "socat" => Sender {
            takes_input: has_input && words.iter().any(|word| is_far(word)),
            files: words
                .iter()
                .filter(|_| words.iter().any(|word| is_far(word)))
                .filter_map(|word| {
                    let (kind, file) = word.split_once(':')?;
                    let kind = kind.to_ascii_lowercase();
                    matches!(kind.as_str(), "file" | "open" | "gopen")
                        .then(|| file.split(',').next())
                        .flatten()
                })
                .collect(),
            ..none
        },
        "ssh" => Sender {
            takes_input: has_input,
            ..none
        },
        "scp" | "rsync" => Sender {
            files: copied_away(command),
            ..none
        },
        "http" | "https" => Sender {
            takes_input: has_input,
            files: words
                .iter()
                .filter_map(|word| Some(word.split_once('@')?.1))
                .collect(),
            ..none
        },
        "gh" if has("gist") && has("create") => Sender {
            takes_input: has_input,
            files: words,
            ..none
        },
        "aws" if has("s3") => to_bucket(words, "s3://", none),
        "gsutil" if has("cp") || has("mv") || has("rsync") => to_bucket(words, "gs://", none),
        "ping" | "dig" | "nslookup" | "host" | "drill" => Sender {
            inserts: unknown(command),
            ..none
        },
        _ => return None,
    };
    Some(sender)
}

fn to_bucket<'a>(words: Vec<&'a str>, bucket: &str, none: Sender<'a>) -> Sender<'a> {
    let goes_there = words.last().is_some_and(|last| last.starts_with(bucket));
    let files = if goes_there { words } else { Vec::new() };
    Sender { files, ..none }
}

fn is_far(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    ["tcp", "udp", "openssl", "sctp", "ssl"]
        .iter()
        .any(|kind| address.starts_with(kind))
}

/// The values of long options.
fn values<'a>(words: &[&'a str], options: &[&str]) -> Vec<&'a str> {
    let attached = words.iter().filter_map(|word| {
        let (name, value) = word.split_once('=')?;
        options.contains(&name).then_some(value)
    });
    let next = words
        .iter()
        .zip(words.iter().skip(1))
        .filter(|(word, _)| options.contains(word))
        .map(|(_, value)| *value);
    attached.chain(next).collect()
}

/// The words that are not known, or only what they begin with.
fn unknown(command: &SimpleCommand) -> Vec<Range<usize>> {
    command
        .words
        .iter()
        .skip(1)
        .filter(|word| is_unknown(&word.value))
        .map(|word| word.span.clone())
        .collect()
}

/// Files that curl sends: `@file`, `name=@file`, `name=<file`, `-T file`.
fn curl_files(command: &SimpleCommand) -> Vec<&str> {
    let words: Vec<&str> = command
        .words
        .iter()
        .skip(1)
        .map(|word| word.literal().unwrap_or_default())
        .collect();
    let mut files = Vec::new();
    let mut previous = "";
    for word in words {
        let value = word
            .strip_prefix("--")
            .and_then(|option| option.split_once('='))
            .map_or(word, |(_, value)| value);
        let file = value
            .strip_prefix('@')
            .or_else(|| value.strip_prefix("-d@"))
            .or_else(|| value.split_once("=@").map(|(_, file)| file))
            .or_else(|| value.split_once("=<").map(|(_, file)| file));
        files.extend(file.and_then(|file| file.split(';').next()));
        if previous == "--data-urlencode" {
            files.extend(word.split_once('@').map(|(_, file)| file));
        }
        let is_upload = matches!(previous, "-T" | "--upload-file")
            || previous.ends_with('T')
                && previous.starts_with('-')
                && !previous.starts_with("--")
                && !previous.contains('X');
        if is_upload {
            files.push(word);
        }
        if let Some(file) = word.strip_prefix("--upload-file=") {
            files.push(file);
        }
        previous = word;
    }
    files
}

/// The words of curl that are sent and not known, but for those by which it
/// proves who it is.
fn curl_inserts(command: &SimpleCommand) -> Vec<Range<usize>> {
    const PROOF: &[&str] = &[
        "-H",
        "--header",
        "-u",
        "--user",
        "--oauth2-bearer",
        "-b",
        "--cookie",
        "-K",
        "--config",
        "-o",
        "--output",
        "-E",
        "--cert",
        "--key",
        "--proxy-user",
        "-U",
    ];
    let mut previous: Option<&Word> = None;
    let mut found = Vec::new();
    for word in &command.words {
        let is_proof = previous
            .and_then(Word::literal)
            .is_some_and(|option| PROOF.contains(&option));
        let is_option = matches!(&word.value, countersign_core::command::WordValue::Dynamic { prefix, .. }
            if prefix.starts_with("-H") || prefix.starts_with("-u") || prefix.starts_with("--"));
        if is_unknown(&word.value) && !is_proof && !is_option {
            found.push(word.span.clone());
        }
        previous = Some(word);
    }
    found
}

/// What `scp` and `rsync` copy to another machine.
fn copied_away(command: &SimpleCommand) -> Vec<&str> {
    const WITH_VALUE: &[&str] = &[
        "-i",
        "-F",
        "-o",
        "-P",
        "-J",
        "-S",
        "-c",
        "-l",
        "-e",
        "--rsh",
        "--exclude",
        "--exclude-from",
        "--include",
        "--include-from",
        "--filter",
        "-f",
    ];
    let words: Vec<&str> = literals(command).collect();
    let goes_away = words.last().is_some_and(|last| {
        let host = last.split(['/']).next().unwrap_or_default();
        host.contains(':') || last.starts_with("rsync://")
    });
    if !goes_away {
        return Vec::new();
    }
    let mut previous = "";
    let mut files = Vec::new();
    for word in words {
        if !word.starts_with('-') && !WITH_VALUE.contains(&previous) {
            files.push(word);
        }
        previous = word;
    }
    files.pop();
    files
}
