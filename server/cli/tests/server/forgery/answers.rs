//! A yes that was given to something else: files that change between prompt
//! and answer, old nonces, and where a nonce can be found at all.

use std::fs;
use std::os::unix::fs::symlink;

use camino::Utf8Path;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{EVENT, asked, shell};
use crate::sandbox::{AUTO, CLAUDE, Sandbox};
use crate::support::{Agent, Desk};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("a_script_that_changed_is_asked_about_anew", content),
        trial("a_script_that_was_replaced_is_asked_about_anew", replaced),
        trial("a_link_that_leads_elsewhere_is_asked_about_anew", relinked),
        trial("a_folder_that_leads_elsewhere_is_asked_about_anew", folder),
        trial(
            "a_file_that_keeps_changing_is_never_approved",
            keeps_changing,
        ),
        trial("an_old_nonce_opens_nothing", old_nonce),
        trial("a_nonce_is_in_no_file_and_no_view", nonce_nowhere),
        trial("a_yes_counts_once", once),
    ]
}

/// The code of an answer to what has changed.
const CHANGED: i64 = -31_003;

fn yes() -> Value {
    json!({ "choice": "approve" })
}

/// Shows a call, lets something change, and says yes: it is not the yes to what
/// would run now, which is asked about and answered on its own.
#[track_caller]
fn voided(sandbox: &Sandbox, call: &Value, change: impl FnOnce(&Sandbox)) {
    let agent = Agent::start(sandbox);
    let mut desk = Desk::open(sandbox);
    let running = agent.begin_hook(sandbox, CLAUDE, EVENT, call);
    let shown = desk.approval();
    change(sandbox);
    assert_eq!(desk.answer(&shown, yes()), Err(CHANGED));
    let anew = desk.approval();
    assert_ne!(anew["id"], shown["id"]);
    assert_ne!(anew["nonce"], shown["nonce"]);
    assert_ne!(anew["digest"], shown["digest"]);
    // What the first was shown with is no answer to the second, nor is it one
    // to itself any more.
    for (id, nonce) in [(&anew, &shown), (&shown, &shown), (&shown, &anew)] {
        let mixed = json!({ "id": id["id"], "nonce": nonce["nonce"] });
        assert!(desk.answer(&mixed, yes()).is_err());
        assert_eq!(desk.pending(), 1);
    }
    desk.deny(&anew);
    running.ended().assert_block(EVENT);
    let answers = sandbox.rows("answer");
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0]["reason"], "cancel");
    let ignored = sandbox.rows("ignored");
    assert_eq!(ignored.len(), 4, "{ignored:?}");
}

/// A script of the workspace, and a call that runs it.
fn script(sandbox: &Sandbox) -> Value {
    fs::write(sandbox.workspace.join("trim.sh"), "trellis trim\n").unwrap();
    fs::write(sandbox.workspace.join("other.sh"), "trellis fell\n").unwrap();
    shell(sandbox, "sh trim.sh")
}

fn content() {
    let sandbox = Sandbox::trusted(AUTO);
    let call = script(&sandbox);
    voided(&sandbox, &call, |sandbox| {
        fs::write(sandbox.workspace.join("trim.sh"), "trellis fell\n").unwrap();
    });
}

fn replaced() {
    let sandbox = Sandbox::trusted(AUTO);
    let call = script(&sandbox);
    voided(&sandbox, &call, |sandbox| {
        let file = |name| sandbox.workspace.join(name);
        fs::rename(file("other.sh"), file("trim.sh")).unwrap();
    });
}

fn point(link: &Utf8Path, at: &Utf8Path) {
    let _ = fs::remove_file(link);
    symlink(at, link).unwrap();
}

fn relinked() {
    let sandbox = Sandbox::trusted(AUTO);
    script(&sandbox);
    let link = sandbox.workspace.join("linked.sh");
    point(&link, "trim.sh".into());
    let call = shell(&sandbox, "sh linked.sh");
    voided(&sandbox, &call, |_| point(&link, "other.sh".into()));
}

fn folder() {
    let sandbox = Sandbox::trusted(AUTO);
    for name in ["here", "there"] {
        fs::create_dir(sandbox.workspace.join(name)).unwrap();
    }
    let link = sandbox.workspace.join("linked");
    point(&link, "here".into());
    // A protected name is asked about.
    let write = json!({ "file_path": sandbox.file("linked/package.json"), "content": "{}" });
    let call = sandbox.call(CLAUDE, EVENT, "Write", write);
    voided(&sandbox, &call, |_| point(&link, "there".into()));
}

fn keeps_changing() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &script(&sandbox));
    let mut times = 0;
    let ran = loop {
        let shown = desk.approval();
        times += 1;
        let text = format!("trellis trim {times}\n");
        fs::write(sandbox.workspace.join("trim.sh"), text).unwrap();
        assert_eq!(desk.answer(&shown, yes()), Err(CHANGED));
        if times == 4 {
            break running.ended();
        }
    };
    let message = ran.assert_block(EVENT);
    assert!(message.contains("kept changing"), "{message}");
    // What nobody was asked about any more is on record, and no yes is.
    let answers = sandbox.rows("answer");
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["reason"], "aborted");
    assert_eq!(desk.pending(), 0);
}

fn old_nonce() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let (running, first) = asked(&sandbox, &agent, &mut desk);
    desk.approve(&first);
    running.ended().assert_allow(CLAUDE, EVENT);
    let second = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, "trellis water"));
    let approval = desk.approval();
    for nonce in [
        first["nonce"].clone(),
        json!(""),
        json!("0".repeat(32)),
        json!(approval["nonce"].as_str().unwrap().to_uppercase()),
    ] {
        let forged = json!({ "id": approval["id"], "nonce": nonce });
        assert!(desk.answer(&forged, yes()).is_err(), "{forged}");
        assert_eq!(desk.pending(), 1);
    }
    desk.deny(&approval);
    second.ended().assert_block(EVENT);
}

/// Whether a file below the folder holds the text.
fn is_in_a_file(folder: &Utf8Path, text: &str) -> bool {
    folder.read_dir_utf8().unwrap().any(|entry| {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            return is_in_a_file(&path, text);
        }
        let bytes = fs::read(&path).unwrap_or_default();
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    })
}

fn nonce_nowhere() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let (running, approval) = asked(&sandbox, &agent, &mut desk);
    let nonce = approval["nonce"].as_str().unwrap();
    let id = approval["id"].as_str().unwrap();
    let root = sandbox.workspace.parent().unwrap();
    let status = desk.status();
    let uri = status["sessions"][0]["uri"].clone();
    let views = [
        status,
        desk.editor.request("countersign/sessions", Value::Null),
        desk.editor
            .request("countersign/explain", json!({ "id": id })),
        desk.editor.request("countersign/journal", json!({})),
        desk.editor
            .request("workspace/textDocumentContent", json!({ "uri": uri })),
        json!(desk.editor.unread()),
    ];
    for view in &views {
        assert!(!view.to_string().contains(nonce), "{view}");
    }
    assert!(views[2].to_string().contains("trellis prune"));
    assert!(is_in_a_file(root, id), "the search finds what is there");
    assert!(!is_in_a_file(root, nonce));
    desk.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
    assert!(!is_in_a_file(root, nonce));
    assert!(!desk.log().contains(nonce));
}

fn once() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let (running, approval) = asked(&sandbox, &agent, &mut desk);
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
    for choice in [
        "approve",
        "deny",
        "dismiss",
        "approve_and_switch_to_default",
    ] {
        let late = desk.answer(&approval, json!({ "choice": choice }));
        assert!(late.is_err(), "{choice}");
    }
    assert_eq!(sandbox.rows("answer").len(), 1);
    assert_eq!(sandbox.rows("ignored").len(), 4);
}
