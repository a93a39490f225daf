//! What people read about effects.

use proptest::prelude::*;

use super::*;

fn effect(command: usize, kind: EffectKind) -> Effect {
    Effect {
        kind,
        command,
        span: command * 10..command * 10 + 5,
    }
}

fn path(text: &str, folder: Folder) -> Target {
    Target::Path {
        text: text.to_owned(),
        folder,
    }
}

fn touches(touch: Touch, target: Target) -> Effect {
    effect(0, EffectKind::Path { touch, target })
}

fn does(doing: Doing, what: &str) -> Effect {
    effect(0, EffectKind::Doing(doing, what.to_owned()))
}

fn moved(steps: &[&str]) -> Folder {
    Folder::Moved(steps.iter().map(|&step| step.to_owned()).collect())
}

fn copies(names: &[&str], is_folder: bool) -> Target {
    Target::Into {
        text: "lib".to_owned(),
        folder: Folder::Call,
        names: names.iter().map(|&name| name.to_owned()).collect(),
        is_folder,
    }
}

#[test]
fn every_touch_has_its_own_words() {
    let words = [
        (Touch::List, "looks at build"),
        (Touch::ListTree, "looks at everything in build"),
        (Touch::Read, "reads build"),
        (Touch::ReadTree, "reads everything in build"),
        (Touch::Write, "writes build"),
        (Touch::Edit, "changes build"),
        (Touch::MakeFolder, "creates the folder build"),
        (Touch::Mode, "changes permissions, owner or times of build"),
        (Touch::Delete, "deletes build"),
        (Touch::DeleteFolder, "deletes the empty folder build"),
        (Touch::DeleteTree, "deletes everything in build"),
        (Touch::MoveFrom, "moves away build"),
        (Touch::Execute, "runs build"),
        (Touch::Load, "looks for and obeys build"),
    ];
    for (touch, expected) in words {
        let effect = touches(touch, path("build", Folder::Call));
        assert_eq!(line(&effect, None), expected);
    }
}

#[test]
fn every_target_is_told_as_it_is_known() {
    let call = Folder::Call;
    let table = [
        (path("src/out.txt", call.clone()), "writes src/out.txt"),
        (path("x", moved(&["a", "../b"])), "writes a/../b/x"),
        (path("x", moved(&["a", "/srv", "b"])), "writes /srv/b/x"),
        (path("x", moved(&["~"])), "writes ~/x"),
        (path("/etc/x", moved(&["a"])), "writes /etc/x"),
        (path("/etc/x", Folder::Unknown), "writes /etc/x"),
        (
            path("x", Folder::Unknown),
            "writes x in a folder that is not known",
        ),
        (
            Target::Glob {
                pattern: "*.o".to_owned(),
                folder: moved(&["out"]),
                may_be_option: true,
            },
            "writes what matches out/*.o",
        ),
        (copies(&["a"], true), "writes lib/a"),
        (copies(&["a"], false), "writes lib (or lib/a)"),
        (copies(&["a", "b"], true), "writes lib/a, lib/b"),
        (copies(&[], false), "writes lib"),
        (
            Target::Links {
                text: "src".to_owned(),
                folder: call.clone(),
            },
            "writes what links at and below src lead to",
        ),
        (
            Target::Pieces {
                text: "src".to_owned(),
                folder: call.clone(),
            },
            "writes what the names at and below src become, split at blanks",
        ),
        (
            Target::SplitMatches {
                pattern: "*".to_owned(),
                folder: call,
            },
            "writes what the matches of * become, split at blanks",
        ),
        (Target::Unknown, "writes files that are not known"),
    ];
    for (target, expected) in table {
        assert_eq!(line(&touches(Touch::Write, target), None), expected);
    }
}

#[test]
fn a_resolved_path_stands_in_for_the_words_of_the_command() {
    for target in [
        path("../x", Folder::Unknown),
        copies(&["a"], false),
        Target::Glob {
            pattern: "*".to_owned(),
            folder: Folder::Call,
            may_be_option: false,
        },
    ] {
        let effect = touches(Touch::Delete, target);
        assert_eq!(line(&effect, Some("/home/ada/x")), "deletes /home/ada/x");
    }
    assert_eq!(
        line(&touches(Touch::Delete, Target::Unknown), Some("x")),
        "deletes files that are not known"
    );
}

#[test]
fn what_is_done_besides_files_is_told_with_its_object() {
    let table = [
        (
            does(Doing::Network, "example.com"),
            "talks to other machines: example.com",
        ),
        (
            does(Doing::CodeTask, "cargo test"),
            "runs the project's own code (cargo test)",
        ),
        (
            does(Doing::Poisoning, "sets PATH"),
            "changes how programs run (sets PATH)",
        ),
        (
            does(Doing::UnknownProgram, ""),
            "runs a program that is not known",
        ),
    ];
    for (effect, expected) in table {
        assert_eq!(line(&effect, None), expected);
    }
}

#[test]
fn a_repository_is_told_with_the_hooks_it_may_run() {
    let works = |folder, hooks| effect(0, EffectKind::Repository { folder, hooks });
    let table = [
        (
            works(Folder::Call, &[][..]),
            "works with the git repository here",
        ),
        (
            works(moved(&["sub"]), &["pre-commit", "commit-msg"][..]),
            "works with the git repository of sub, where these hooks would run if it has them: pre-commit, commit-msg",
        ),
        (
            works(Folder::Unknown, &[][..]),
            "works with the git repository of a folder that is not known",
        ),
    ];
    for (effect, expected) in table {
        assert_eq!(line(&effect, None), expected);
    }
}

#[test]
fn a_name_cannot_pass_for_words_or_control_the_terminal() {
    let table = [
        ("a b", "reads 'a b'"),
        ("a, b and 3 more", "reads 'a, b and 3 more'"),
        ("it's", "reads 'it\\'s'"),
        ("", "reads ''"),
        ("x\u{1b}[2K\ny", "reads x\\x1b[2K\\ny"),
        ("gpj\u{202e}.x", "reads gpj<U+202E>.x"),
        ("日本/ü.txt", "reads 日本/ü.txt"),
    ];
    for (text, expected) in table {
        let effect = touches(Touch::Read, path(text, Folder::Call));
        assert_eq!(line(&effect, None), expected);
        assert_eq!(line(&effect, Some(text)), expected);
    }
    let long = line(
        &touches(Touch::Read, path(&"x".repeat(5000), Folder::Call)),
        None,
    );
    assert!(long.len() < 200 && long.contains("more bytes"), "{long}");
}

fn told(effect: &Effect) -> Told<'_> {
    Told {
        effect,
        place: None,
        matters: false,
    }
}

fn texts(effects: &[Effect]) -> Vec<String> {
    let told: Vec<Told<'_>> = effects.iter().map(told).collect();
    lines(&told).into_iter().map(|line| line.text).collect()
}

fn read(command: usize, name: &str) -> Effect {
    Effect {
        command,
        span: command..command + 1,
        ..touches(Touch::Read, path(name, Folder::Call))
    }
}

#[test]
fn one_command_says_each_thing_once_and_in_the_order_of_the_text() {
    let mut written = touches(Touch::Write, path("c", Folder::Call));
    written.command = 1;
    assert_eq!(
        texts(&[
            read(0, "a"),
            read(0, "b"),
            read(0, "a"),
            written,
            read(1, "d")
        ]),
        ["reads a, b", "writes c", "reads d"]
    );
}

#[test]
fn commands_that_do_the_same_are_one_line_with_both_places() {
    let effects = [read(3, "a"), read(0, "a"), read(3, "a")];
    let told: Vec<Told<'_>> = effects.iter().map(told).collect();
    let lines = lines(&told);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines.first().unwrap().spans, [0..1, 3..4]);
}

#[test]
fn names_without_room_are_counted() {
    let many: Vec<Effect> = (0..10)
        .map(|number| read(0, &format!("f{number}")))
        .collect();
    assert_eq!(texts(&many), ["reads f0, f1, f2, f3, f4, f5 and 4 more"]);
}

#[test]
fn what_matters_is_told_first() {
    let many: Vec<Effect> = (0..30)
        .map(|number| read(0, &format!("f{}", number % 29)))
        .collect();
    let told: Vec<Told<'_>> = many
        .iter()
        .enumerate()
        .map(|(index, effect)| Told {
            matters: index >= 28,
            ..told(effect)
        })
        .collect();
    let lines = lines(&told);
    let line = lines.first().unwrap();
    assert_eq!(line.text, "reads f0, f28, f1, f2, f3, f4 and 23 more");
    assert!(line.matters);
}

#[test]
fn sixty_commands_before_it_do_not_hide_a_deletion() {
    let mut effects: Vec<Effect> = (0..60)
        .map(|number| read(number, &format!("f{number}")))
        .collect();
    let mut deleted = touches(Touch::DeleteTree, path("~", Folder::Call));
    deleted.command = 60;
    effects.push(deleted);
    assert_eq!(
        texts(&effects),
        [
            "reads f0, f1, f2, f3, f4, f5 and 54 more",
            "deletes everything in ~"
        ]
    );
}

fn any_effect() -> impl Strategy<Value = Effect> {
    let touch = prop::sample::select(vec![
        Touch::List,
        Touch::Read,
        Touch::Write,
        Touch::DeleteTree,
        Touch::Load,
    ]);
    let doing = prop::sample::select(vec![Doing::Network, Doing::CodeTask, Doing::System]);
    let folder = prop_oneof![
        Just(Folder::Call),
        Just(Folder::Unknown),
        prop::collection::vec("\\PC{0,4}", 0..3).prop_map(Folder::Moved),
    ];
    let kind = prop_oneof![
        (touch, any::<String>(), folder.clone()).prop_map(|(touch, text, folder)| {
            EffectKind::Path {
                touch,
                target: Target::Path { text, folder },
            }
        }),
        (doing, any::<String>()).prop_map(|(doing, what)| EffectKind::Doing(doing, what)),
        folder.prop_map(|folder| EffectKind::Repository {
            folder,
            hooks: &["pre-push"],
        }),
    ];
    (kind, 0_usize..200).prop_map(|(kind, command)| effect(command, kind))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn lines_are_few_short_single_and_visible(
        effects in prop::collection::vec((any_effect(), any::<bool>()), 0..200),
    ) {
        let told: Vec<Told<'_>> = effects
            .iter()
            .map(|(effect, matters)| Told { effect, place: None, matters: *matters })
            .collect();
        let lines = lines(&told);
        prop_assert!(lines.len() <= MOST_LINES);
        prop_assert_eq!(lines.is_empty(), effects.is_empty());
        for line in &lines {
            prop_assert_eq!(redact::visible(&line.text), line.text.as_str());
            prop_assert!(line.text.len() < 30_000);
            prop_assert!(!line.spans.is_empty());
        }
        // No kind of effect is left out.
        for (effect, _) in &effects {
            let verb = Saying::of(effect, None).verb.as_str();
            prop_assert!(lines.iter().any(|line| line.text.starts_with(verb)));
        }
    }
}
