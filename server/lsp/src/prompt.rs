//! What each standard prompt says. The first action is always a no.

use std::sync::Arc;

use camino::Utf8Path;
use countersign_core::call::{Call, SessionKey};
use countersign_core::decision::Decision;
use countersign_core::facts::Facts;
use countersign_core::mode::ApprovalMode;
use countersign_core::redact::visible;
use countersign_service::{AUTO_NOTICE, PendingApproval, Service};
use countersign_settings::WorkspaceEntry;

use crate::draw;
use crate::draw::markdown::{block, code_without_links};
use crate::draw::prompt_text::is_shown_as_it_is;
use crate::prompts::{Action, Prompt, Subject};

/// Longest list that a prompt shows; more is shown as a document.
const MOST_CHARS: usize = 600;

/// Longest rule that an action names, in characters: editors cut titles.
const LONGEST_RULE: usize = 200;

/// Leaves what was shown open to be read.
const READ_ON: &str = "Read on, ask again in a minute";

/// The prompt about a subject; none where there is nothing to ask any more.
pub(crate) fn of(service: &Arc<Service>, subject: &Subject) -> Option<Prompt> {
    match subject {
        Subject::Approval(id) => approval(service, id),
        Subject::Confirm(id) => {
            let pending = service.pending_of(id)?;
            let short: String = id.chars().take(8).collect();
            let mut actions = vec![("Deny".to_owned(), Action::No)];
            actions.extend(approving(&pending));
            // Some editors can do nothing else while a prompt is open, scrolling
            // in what is to be read included.
            actions.push((READ_ON.to_owned(), Action::Later));
            Some(Prompt {
                message: format!(
                    "Countersign: {} (call {short}). Approve it as it was shown to you?",
                    draw::prompt_text::what(&pending)
                ),
                actions,
            })
        }
        Subject::Remember { id, rule } => {
            let pending = service.pending_of(id)?;
            Some(Prompt {
                message: format!(
                    "Countersign: {}. Approve it, and allow {} without asking for the rest of \
                     this session?",
                    draw::prompt_text::what(&pending),
                    code_without_links(rule)
                ),
                actions: vec![
                    ("Deny".to_owned(), Action::No),
                    ("Approve and remember".to_owned(), Action::Remember),
                    ("Approve once".to_owned(), Action::Yes),
                ],
            })
        }
        Subject::Grant { id, seen } => Some(grant(&denied_call(service, id)?.0, *seen)),
        Subject::Trust(folder) => Some(Prompt {
            message: format!(
                "Countersign: Trust {}? In a trusted workspace agents may edit files without \
                 asking in auto mode; what its settings would loosen is asked separately.",
                code_without_links(folder.as_str())
            ),
            actions: vec![
                ("Not now".to_owned(), Action::No),
                ("Trust this workspace".to_owned(), Action::Yes),
            ],
        }),
        Subject::Baseline(folder, commit) => Some(Prompt {
            message: format!(
                "Countersign: take commit {} of {} for trusted to execute? Its tests, tasks and \
                 scripts then run without review until an agent changes them.",
                commit.get(..12).unwrap_or(commit),
                code_without_links(folder.as_str())
            ),
            actions: vec![
                ("Not now".to_owned(), Action::No),
                ("Trust what is checked out".to_owned(), Action::Yes),
            ],
        }),
        Subject::Consent(folder, digest, seen) => {
            let settings = service.settings(folder);
            if settings.consent_digest() != *digest || settings.pending_consent.is_empty() {
                return None;
            }
            Some(entries(
                &format!(
                    "Countersign: the settings of {} would loosen; accept exactly this?",
                    code_without_links(folder.as_str())
                ),
                &[("+", &settings.pending_consent), ("-", &settings.withdrawn)],
                "Accept exactly this",
                *seen,
            ))
        }
        Subject::Removal(folder, digest, seen) => {
            let settings = service.settings(folder);
            if settings.removal_digest() != *digest || settings.kept_tightening.is_empty() {
                return None;
            }
            Some(entries(
                &format!(
                    "Countersign: these restrictions left the settings of {} and still hold; drop \
                     them?",
                    code_without_links(folder.as_str())
                ),
                &[("-", &settings.kept_tightening)],
                "Drop these restrictions",
                *seen,
            ))
        }
        Subject::Mode { mode, session } => Some(mode_prompt(service, *mode, session.as_ref())),
        Subject::Reset(session) => Some(Prompt {
            message: format!(
                "Countersign: reset the denial counters of {}? Calls are then decided without \
                 asking until a cap is reached again.",
                named(session.as_ref())
            ),
            actions: vec![
                ("Cancel".to_owned(), Action::No),
                ("Reset the counters".to_owned(), Action::Yes),
            ],
        }),
    }
}

/// The session that a question is about.
fn named(session: Option<&SessionKey>) -> String {
    session.map_or_else(
        || "all sessions".to_owned(),
        |key| {
            format!(
                "session {} of {}",
                code_without_links(&key.session),
                key.agent
            )
        },
    )
}

/// A call of this server that the classifier denied.
pub(crate) fn denied_call(service: &Service, id: &str) -> Option<(Arc<Call>, Arc<Facts>)> {
    let story = service.call(id)?;
    let is_denied = !story.elsewhere && matches!(story.decision, Decision::Denied { .. });
    story.call.clone().filter(|_| is_denied)
}

/// The whole of a call that was denied, as a document.
pub(crate) fn denied_call_text(service: &Service, id: &str) -> Option<String> {
    let (call, _) = denied_call(service, id)?;
    let text = block("text", &draw::prompt_text::whole(&call));
    let place = code_without_links(call.cwd.as_str());
    Some(format!(
        "# A call of {} that was denied\n\nIn {place}\n\n{text}",
        call.key.agent
    ))
}

fn grant(call: &Call, seen: bool) -> Prompt {
    let text = draw::prompt_text::denied(call);
    let no = ("No".to_owned(), Action::No);
    let yes = ("Allow this exact call once".to_owned(), Action::Yes);
    let (question, actions) = match (text.fits, seen) {
        (true, _) => ("", vec![no, yes]),
        (false, true) => (
            " It is as it was shown to you.",
            vec![no, yes, (READ_ON.to_owned(), Action::Later)],
        ),
        (false, false) => ("", vec![no, ("Show".to_owned(), Action::Show)]),
    };
    Prompt {
        message: format!(
            "Countersign: allow this exact call once, within 10 minutes?{question} {}",
            text.message
        ),
        actions,
    }
}

fn approval(service: &Service, id: &str) -> Option<Prompt> {
    let pending = service.pending_of(id)?;
    let text = draw::prompt_text::approval(&pending);
    let mut actions = vec![("Deny".to_owned(), Action::No)];
    if text.fits {
        actions.extend(approving(&pending));
    } else {
        actions.push(("Show".to_owned(), Action::Show));
    }
    Some(Prompt {
        message: text.message,
        actions,
    })
}

/// What approves a call that was seen wholly.
fn approving(pending: &PendingApproval) -> Vec<(String, Action)> {
    let mut actions = vec![("Approve once".to_owned(), Action::Yes)];
    if let [rule] = pending.suggestions.as_slice()
        && fits_a_rule(rule)
    {
        actions.push((
            format!("Approve and remember {} for this session", visible(rule)),
            Action::Remember,
        ));
    }
    actions
}

/// Whether a rule can stand in a prompt exactly as it is.
pub(crate) fn fits_a_rule(rule: &str) -> bool {
    rule.chars().count() <= LONGEST_RULE && is_shown_as_it_is(rule)
}

fn mode_prompt(service: &Service, mode: ApprovalMode, session: Option<&SessionKey>) -> Prompt {
    let of = named(session);
    let message = match mode {
        ApprovalMode::Auto => {
            let notice = service.auto_notice();
            let aside = if notice.set_aside.is_empty() {
                String::new()
            } else {
                format!(
                    " These allow rules are set aside while it is on, because they could allow \
                     nearly anything: {}.",
                    in_code(&notice.set_aside)
                )
            };
            format!("Countersign: use auto mode for {of}? {AUTO_NOTICE}{aside}")
        }
        ApprovalMode::Yolo => format!(
            "Countersign: yolo runs everything that no deny rule stops, without asking, until \
             this server ends. Use it for {of}?"
        ),
        ApprovalMode::Plan | ApprovalMode::Default | ApprovalMode::AutoEdit => {
            format!("Countersign: change to {mode} mode for {of}? It lets agents do more than now.")
        }
    };
    Prompt {
        message,
        actions: vec![
            ("Cancel".to_owned(), Action::No),
            (format!("Use {mode} mode"), Action::Yes),
        ],
    }
}

/// Each text on its own, so that none looks like two.
fn in_code(texts: &[String]) -> String {
    let each: Vec<String> = texts.iter().map(|text| code_without_links(text)).collect();
    each.join(", ")
}

/// A prompt with a list. One that is too long for a prompt must be looked at
/// first.
fn entries(
    question: &str,
    lists: &[(&str, &Vec<WorkspaceEntry>)],
    yes: &str,
    seen: bool,
) -> Prompt {
    let list = entries_text(lists, ", ");
    let fits = list.chars().count() <= MOST_CHARS
        && lists
            .iter()
            .flat_map(|(_, entries)| entries.iter())
            .all(|entry| is_shown_as_it_is(&entry.text));
    let no = ("Not now".to_owned(), Action::No);
    if seen && !fits {
        Prompt {
            message: format!("{question} It is as it was shown to you."),
            actions: vec![no, (yes.to_owned(), Action::Yes)],
        }
    } else if fits {
        Prompt {
            message: format!("{question} {list}"),
            actions: vec![no, (yes.to_owned(), Action::Yes)],
        }
    } else {
        Prompt {
            message: format!("{question} The list does not fit into a prompt: look at it first."),
            actions: vec![no, ("Show".to_owned(), Action::Show)],
        }
    }
}

fn entries_text(lists: &[(&str, &Vec<WorkspaceEntry>)], between: &str) -> String {
    lists
        .iter()
        .flat_map(|(sign, entries)| {
            entries.iter().map(move |entry| {
                let text = code_without_links(&entry.text);
                format!("{sign} {}: {text}", visible(&entry.key))
            })
        })
        .collect::<Vec<_>>()
        .join(between)
}

/// The whole of what a workspace's settings ask consent for, as a document.
pub(crate) fn consent_text(service: &Service, folder: &Utf8Path) -> String {
    let settings = service.settings(folder);
    let list = entries_text(
        &[
            ("+", &settings.pending_consent),
            ("-", &settings.withdrawn),
            ("no longer restricts:", &settings.kept_tightening),
        ],
        "\n",
    );
    let folder = code_without_links(folder.as_str());
    format!("Settings of {folder}\n\n{list}\n")
}
