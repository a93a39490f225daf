//! Deny and ask rules for files, met by file tools and by shell commands; and
//! what allow rules for files cover.

use crate::call::Access;
use crate::command::Folder;
use crate::paths::{FileKind, PathFact};
use crate::rules::testing::{Case, fact, link, rules, view};
use crate::tool::Tool;

fn denied(rule: &str, case: &Case) -> &'static str {
    case.meets(&rules(&[&format!("deny {rule}")]))
}

fn allowed(rule: &str, case: &Case) -> bool {
    case.is_allowed(&rules(&[&format!("allow {rule}")]))
}

#[test]
fn the_forms_of_a_pattern() {
    for (rule, path, expected) in [
        ("Read(./docs/**)", "docs/a.md", "deny"),
        ("Read(./docs/**)", "docs/x/y/a.md", "deny"),
        ("Read(./docs/**)", "docs", "deny"),
        ("Read(./docs/*)", "docs/a.md", "deny"),
        ("Read(docs)", "docs/x/a.md", "deny"),
        ("Read(docs/)", "docs/x/a.md", "deny"),
        ("Read(//etc/**)", "/etc/passwd", "deny"),
        ("Read(//etc/**)", "/etcetera/x", "-"),
        ("Read(~/.ssh/**)", "/home/u/.ssh/id_rsa", "deny"),
        ("Read(~/.ssh)", "~/.ssh/id_rsa", "deny"),
        ("Read(/src/**)", "/work/app/src/a.rs", "deny"),
        ("Read(/etc/passwd)", "/etc/passwd", "deny"),
        ("Read(.env)", ".env", "deny"),
        ("Read(.env)", "sub/deep/.env", "deny"),
        ("Read(.env)", "/elsewhere/.env", "deny"),
        ("Read(.env)", ".envrc", "-"),
        ("Read(.env)", "x.env", "-"),
        ("Read(.env*)", "sub/.env.local", "deny"),
        ("Read(*.pem)", "keys/a.pem", "deny"),
        ("Read(**/*.pem)", "/x/y/a.pem", "deny"),
        ("Read(src/**/secret.rs)", "src/secret.rs", "deny"),
        ("Read(src/**/secret.rs)", "src/a/b/secret.rs", "deny"),
        ("Read(src/**/secret.rs)", "src/a/b/secret.rs.bak", "-"),
        ("Read(a.{pem,key})", "a.key", "deny"),
        ("Read(a.{pem,key})", "a.txt", "-"),
        ("Read(app/[id]/x)", "app/[id]/x", "deny"),
        ("Read(app/[id]/x)", "app/d/x", "deny"),
        ("Read(a?c)", "abc", "deny"),
        ("Read(../x)", "/work/x", "deny"),
        ("Read(./a/../b)", "b", "deny"),
        // Another letter case is another file, unless it is not.
        ("Read(.env)", ".ENV", "deny?"),
        // A call may start in a folder below the one that was meant.
        ("Read(./secrets/**)", "/work/secrets/x", "deny?"),
        ("Read(./secrets/**)", "/other/secrets/x", "-"),
        ("Read(.)", "/work/app/x/y", "deny"),
        ("Read(**)", "/anything", "deny"),
    ] {
        assert_eq!(denied(rule, &Case::read(path)), expected, "{rule}: {path}");
    }
}

#[test]
fn rules_are_for_their_tools() {
    assert_eq!(denied("Edit(x)", &Case::read("x")), "-");
    assert_eq!(denied("Edit(x)", &Case::write("x")), "deny");
    assert_eq!(denied("Write(x)", &Case::write("x")), "deny");
    assert_eq!(
        denied(
            "Write(x)",
            &Case::path(Tool::Edit, fact("x", Access::Write))
        ),
        "-"
    );
    assert_eq!(
        denied(
            "Read(x)",
            &Case::path(Tool::GrepSearch, fact("x", Access::ReadTree))
        ),
        "deny"
    );
    assert_eq!(denied("Read", &Case::read("x")), "deny");
}

#[test]
fn either_form_of_a_path_is_enough_to_deny_and_both_are_needed_to_allow() {
    let out = link("docs/link.md", "/home/u/.ssh/id_rsa", Access::Read);
    let case = Case::path(Tool::ReadFile, out);
    assert_eq!(denied("Read(~/.ssh/**)", &case), "deny");
    assert_eq!(denied("Read(./docs/**)", &case), "deny");
    assert!(!allowed("Read(./docs/**)", &case));
    assert!(!allowed("Read(~/.ssh/**)", &case));
    assert!(allowed("Read(./docs/**)", &Case::read("docs/a.md")));
}

#[test]
fn allow_rules_are_anchored() {
    for (rule, path, expected) in [
        ("Edit(src/**)", "src/a.rs", true),
        ("Edit(./src)", "src/x/a.rs", true),
        ("Edit(src/*.rs)", "src/a.rs", true),
        ("Edit(src/*.rs)", "src/x/a.rs", false),
        ("Edit(/src/**)", "src/a.rs", true),
        ("Edit(/src/**)", "/src/a.rs", false),
        ("Edit(//tmp/x/**)", "/tmp/x/y", true),
        ("Edit(//tmp/x/**)", "/tmp/x-evil/y", false),
        ("Edit(notes.md)", "notes.md", true),
        ("Edit(notes.md)", "sub/notes.md", false),
        ("Edit(src/**)", "src/../x", false),
        ("Edit(src/**)", "SRC/a.rs", false),
        ("Edit(src/**)", "/work/app-evil/src/a.rs", false),
        ("Edit(app/[id]/**)", "app/[id]/page.tsx", true),
        ("Edit(app/[id]/**)", "app/d/page.tsx", false),
        ("Edit(*.{ts,tsx})", "a.tsx", true),
        ("Read(src/**)", "src/a.rs", false),
    ] {
        assert_eq!(
            allowed(rule, &Case::write(path)),
            expected,
            "{rule}: {path}"
        );
    }
}

#[test]
fn what_acts_or_cannot_be_resolved_is_never_allowed() {
    for kind in [FileKind::Special, FileKind::Remote, FileKind::Unresolvable] {
        let path = PathFact {
            kind,
            ..fact("src/a", Access::Read)
        };
        assert!(
            !allowed("Read(src/**)", &Case::path(Tool::ReadFile, path)),
            "{kind:?}"
        );
    }
    let linked = PathFact {
        links: 2,
        ..fact("src/a.rs", Access::Write)
    };
    assert!(!allowed(
        "Edit(src/**)",
        &Case::path(Tool::WriteFile, linked)
    ));
    assert!(!allowed("Edit(./**)", &Case::write(".git/config")));
    let unresolvable = PathFact {
        kind: FileKind::Unresolvable,
        ..fact("loop", Access::Read)
    };
    assert_eq!(
        denied("Read(.env)", &Case::path(Tool::ReadFile, unresolvable)),
        "deny?"
    );
}

#[test]
fn a_call_without_its_paths_is_in_doubt() {
    let mut case = Case::read("x");
    case.facts.paths.clear();
    assert_eq!(denied("Read(.env)", &case), "deny?");
    assert!(!allowed("Read(./**)", &case));
    assert_eq!(denied("Read(.env)", &Case::other("lsp")), "deny?");
}

#[test]
fn recursive_reads_meet_what_they_may_contain() {
    let tree = |path| Case::path(Tool::GrepSearch, fact(path, Access::ReadTree));
    assert_eq!(denied("Read(.env)", &tree(".")), "deny?");
    assert_eq!(denied("Read(./secrets/**)", &tree(".")), "deny?");
    assert_eq!(denied("Read(./secrets/**)", &tree("secrets/x")), "deny");
    assert_eq!(denied("Read(./secrets/**)", &tree("src")), "-");
    assert_eq!(denied("Read(~/.ssh/**)", &tree("/home")), "deny?");
    let list = |path| Case::path(Tool::ListDirectory, fact(path, Access::List));
    assert_eq!(denied("Read(./secrets/**)", &list("secrets")), "deny");
    assert_eq!(denied("Read(./secrets/**)", &list(".")), "-");
    assert_eq!(denied("LS(./secrets/**)", &list(".")), "deny?");
}

#[test]
fn shell_commands_meet_rules_for_reading() {
    for (text, expected) in [
        ("cat .env", "deny"),
        ("cat sub/.env", "deny"),
        ("mytool .env", "deny"),
        ("cp .env x.txt", "deny"),
        ("ls ; head -n 3 ./.env", "deny"),
        ("wc <.env", "deny"),
        ("echo .env", "-"),
        ("echo x >.env", "-"),
        ("rm .env", "deny?"),
        ("cat $F", "deny?"),
        ("cat .e$F", "deny?"),
        ("git commit -m $M", "-"),
        ("cat *", "deny?"),
        ("cat *.rs", "-"),
        ("cat .e*", "deny?"),
        ("wc <$F", "deny?"),
        ("grep -r x .", "deny?"),
        ("grep --rec x src", "deny?"),
        ("grep x src", "-"),
        ("rg x", "deny?"),
        ("rg x src/a.rs", "deny?"),
        ("cp -a sub /tmp/y", "deny?"),
        ("tar cf x.tar sub", "deny?"),
        ("ls sub", "-"),
        ("cargo test", "-"),
        ("cat README.md", "-"),
    ] {
        assert_eq!(denied("Read(.env)", &Case::run(text)), expected, "{text}");
    }
}

#[test]
fn shell_commands_meet_rules_for_editing() {
    for (text, expected) in [
        ("rm lock.json", "deny"),
        ("echo x >lock.json", "deny"),
        ("echo x >>./lock.json", "deny"),
        ("echo x 2>/dev/null", "-"),
        ("cat lock.json", "-"),
        ("wc <lock.json", "-"),
        ("cp a.txt lock.json", "deny"),
        ("mytool lock.json", "deny?"),
        ("echo x >$F", "deny?"),
        ("rm $F", "deny?"),
        ("rm -r sub", "deny?"),
        ("rg x", "-"),
    ] {
        assert_eq!(
            denied("Edit(lock.json)", &Case::run(text)),
            expected,
            "{text}"
        );
    }
}

#[test]
fn a_rule_for_every_file_means_programs_that_are_known_to_touch_files() {
    assert_eq!(denied("Edit", &Case::run("echo x >f.txt")), "deny");
    assert_eq!(denied("Edit", &Case::run("rm f.txt")), "deny");
    assert_eq!(denied("Edit", &Case::run("ls 2>/dev/null")), "-");
    assert_eq!(denied("Edit", &Case::run("cargo test name")), "-");
    assert_eq!(denied("Read", &Case::run("cat f.txt")), "deny");
    assert_eq!(denied("Read", &Case::run("cargo test name")), "-");
}

#[test]
fn names_of_tasks_are_no_files() {
    assert_eq!(denied("Read(test)", &Case::run("npm test")), "-");
    assert_eq!(denied("Read(test)", &Case::run("npm run test")), "-");
    assert_eq!(denied("Edit(build/**)", &Case::run("make build")), "-");
    assert_eq!(denied("Read(test)", &Case::run("cat test")), "deny");
}

#[test]
fn links_do_not_hide_a_path_from_a_rule() {
    let mut view = view("cat a");
    for command in &mut view.commands {
        for operand in &mut command.operands {
            operand.path.canonical = "/work/app/.env".into();
        }
    }
    assert_eq!(denied("Read(.env)", &Case::shell(view)), "deny");
}

#[test]
fn a_relative_path_in_an_unknown_folder_may_be_any() {
    let moved = |text: &str| {
        let mut view = view(text);
        for command in &mut view.commands {
            command.folder = Folder::Unknown;
            command.operands.clear();
            for redirect in &mut command.redirects {
                redirect.path = None;
            }
        }
        Case::shell(view)
    };
    let rule = "Read(//srv/secrets/key.txt)";
    assert_eq!(denied(rule, &moved("cat key.txt")), "deny?");
    assert_eq!(denied(rule, &moved("cat secrets/key.txt")), "deny?");
    assert_eq!(denied(rule, &moved("cat ../key.txt")), "deny?");
    // A file below it, if it is a folder.
    assert_eq!(denied(rule, &moved("cat other.txt")), "deny?");
    assert_eq!(denied(rule, &moved("cat /etc/hosts")), "-");
    assert_eq!(denied(rule, &moved("ls other.txt")), "-");
    assert_eq!(denied(rule, &moved("wc <key.txt")), "deny?");
    assert_eq!(denied(rule, &moved("rg x")), "deny?");
}
