use countersign_core::call::{CommandText, ShellDialect};
use countersign_core::command::Folder;
use countersign_core::effect::{Doing, EffectKind, Effects, Target, Touch};

fn effects(text: &str) -> Effects {
    crate::effects(&crate::view(&CommandText {
        text: text.to_owned(),
        dialect: ShellDialect::Bash,
    }))
}

/// Whether nothing but reading the workspace's own repository is found.
fn only_reads(text: &str) -> bool {
    let found = effects(text);
    found.unproven.is_empty()
        && found
            .effects
            .iter()
            .all(|effect| matches!(effect.kind, EffectKind::Repository { .. }))
}

fn does(text: &str, wanted: Doing) -> bool {
    effects(text)
        .effects
        .iter()
        .any(|effect| matches!(&effect.kind, EffectKind::Doing(doing, _) if *doing == wanted))
}

fn touches(text: &str) -> Vec<(Touch, String)> {
    effects(text)
        .effects
        .into_iter()
        .filter_map(|effect| match effect.kind {
            EffectKind::Path {
                touch,
                target: Target::Path { text, .. },
            } => Some((touch, text)),
            _ => None,
        })
        .collect()
}

#[test]
fn what_only_reads_has_no_other_effect() {
    for text in [
        "git status -sb --porcelain=v1",
        "git log --oneline -n5 -- src",
        "git log -n 5 -5 -p -U3 -M90% -S x --since yesterday --format=%h",
        "git log -S --output=x",
        "git diff main..topic -- --output=x",
        "git --no-pager -c color.ui=never -c core.pager= diff --stat",
        "git stash list -p",
        "git reflog -20",
        "git remote -v",
        "git config --get user.name",
        "git rev-parse $X --anything",
        "git branch -avv --list",
        "git grep -rnA3 x",
        "git tag -l 'v*'",
    ] {
        assert!(only_reads(text), "{text}: {:?}", effects(text));
    }
}

#[test]
fn options_that_write_or_run_are_not_known_however_they_are_written() {
    for text in [
        "git diff --output=x",
        "git diff --output x",
        "git diff --ou=x",
        "git log --outpu x",
        "git log --format --output=x",
        "git log -pn --output=x",
        "git log --stat --output=x",
        "git log -U --output=x",
        "git diff -L --output=x",
        "git stash show -S x -l --output=x",
        "git archive --prefix --output=x HEAD",
        "git grep -nO x",
        "git grep --open=x x",
        "git show --ext-d",
        "git log --textconv",
        "git log \"$X\"",
        "git log -$X",
        "git $X",
        "git log$X",
    ] {
        assert!(!effects(text).unproven.is_empty(), "{text}");
    }
}

#[test]
fn only_harmless_settings_and_options_stand_before_the_sub_command() {
    for text in [
        "git -c core.fsmonitor=./x status",
        "git -c core.pager='sh -c x' log",
        "git -c CORE.PAGER=x log",
        "git -c pager.log=x log",
        "git -c core.fsmonitor status",
        "git -ccolor.ui=never status",
        "git -c alias.x=!y x",
        "git -c diff.external=x diff",
        "git -c core.hookspath=/dev/null commit -m x",
        "git -c include.path=x status",
        "git -c $X status",
        "git -c",
        "git --exec-path=x status",
        "git --exec-path x",
        "git --git-dir=x status",
        "git --git-dir x status",
        "git --work-tree=. status",
        "git --namespace=x log",
        "git --bare log",
        "git --config-env=a=b log",
        "git --super-prefix=x log",
        "git -p log",
        "git --paginate log",
        "git --help log",
        "git --attr-source=x log",
    ] {
        assert!(!effects(text).unproven.is_empty(), "{text}");
    }
    for text in ["git", "git --version", "git --exec-path", "git -C x --help"] {
        assert_eq!(effects(text), Effects::default(), "{text}");
    }
}

#[test]
fn another_folder_counts_for_the_repository_and_for_paths() {
    let found = effects("cd a && git -C b -C '' -C c rm x");
    let moved = Folder::Moved(vec!["a".into(), "b".into(), "c".into()]);
    assert!(found.effects.iter().any(
        |effect| matches!(&effect.kind, EffectKind::Repository { folder, .. } if *folder == moved)
    ));
    assert!(found.effects.iter().any(|effect| matches!(
        &effect.kind,
        EffectKind::Path { touch: Touch::Delete, target: Target::Path { text, folder } }
            if text == "x" && *folder == moved
    )));
    assert!(!effects("git -C $X status").unproven.is_empty());
}

#[test]
fn what_is_no_sub_command_may_be_an_alias() {
    for text in [
        "git st",
        "git x --version",
        "git LOG",
        "git ''",
        "git whatchanged",
    ] {
        assert!(!effects(text).unproven.is_empty(), "{text}");
    }
}

#[test]
fn reversible_changes_are_told_from_others() {
    for text in [
        "git add .",
        "git commit -am x",
        "git branch x",
        "git branch -m x",
        "git tag x",
        "git switch -c x",
        "git checkout -b x HEAD",
        "git restore --staged .",
        "git stash push -- a",
        "git init",
        "git rm --cached a",
    ] {
        assert!(does(text, Doing::LocalHistory), "{text}");
        assert!(effects(text).unproven.is_empty(), "{text}");
    }
    for text in [
        "git reset --hard",
        "git stash pop",
        "git stash clear",
        "git reflog expire --all",
        "git rebase -i x",
        "git remote set-url o x",
        "git clean -fd",
        "git worktree add x",
    ] {
        let is_told = does(text, Doing::History) || !effects(text).unproven.is_empty();
        assert!(is_told, "{text}");
    }
    for text in [
        "git push",
        "git fetch --all",
        "git remote show o",
        "git remote update",
    ] {
        assert!(does(text, Doing::Network), "{text}");
    }
    for text in [
        "git config a.b c",
        "git config --unset user.name",
        "git config set a.b c",
    ] {
        let is_told = does(text, Doing::Poisoning) || !effects(text).unproven.is_empty();
        assert!(is_told, "{text}");
    }
}

#[test]
fn what_opens_an_editor_or_changes_unknown_files_is_not_proven() {
    for text in [
        "git commit",
        "git commit --amend -m x",
        "git commit --no-verify -m x",
        "git commit -nm x",
        "git tag -a x",
        "git branch -D x",
        "git branch -M x",
        "git checkout main",
        "git checkout a.txt",
        "git checkout -b x origin/main",
        "git checkout -b x -- HEAD",
        "git switch x",
        "git stash",
        "git stash -u",
        "git stash -- '*.rs'",
        "git restore ':/'",
        "git rm '*.rs'",
        "git rm -r .",
        "git restore ./",
        "git restore -",
        "git format-patch main",
        "git config --list",
        "git config credential.helper",
    ] {
        assert!(!effects(text).unproven.is_empty(), "{text}");
    }
}

#[test]
fn paths_that_are_changed_are_effects() {
    use Touch::{Delete, DeleteTree, MoveFrom, ReadTree, Write};
    let tree = |touches: &[(Touch, &str)]| -> Vec<(Touch, String)> {
        touches
            .iter()
            .map(|(touch, text)| (*touch, (*text).to_owned()))
            .collect()
    };
    for (text, wanted) in [
        (
            "git checkout -- a",
            tree(&[(DeleteTree, "a"), (Write, "a")]),
        ),
        (
            "git restore -s x a",
            tree(&[(DeleteTree, "a"), (Write, "a")]),
        ),
        ("git rm a b", tree(&[(Delete, "a"), (Delete, "b")])),
        ("git rm -r a", tree(&[(DeleteTree, "a")])),
        ("git stash push a", tree(&[(MoveFrom, "a")])),
        (
            "git diff /etc/x ../y a",
            tree(&[(ReadTree, "/etc/x"), (ReadTree, "../y")]),
        ),
        (
            "git diff --no-index a b",
            tree(&[(ReadTree, "a"), (ReadTree, "b")]),
        ),
        ("git commit -F a", tree(&[(Touch::Read, "a")])),
        ("git init x", tree(&[(Touch::MakeFolder, "x")])),
    ] {
        assert_eq!(touches(text), wanted, "{text}");
    }
}

#[test]
fn hooks_belong_to_what_runs_them() {
    let hooks = |text: &str| {
        effects(text)
            .effects
            .iter()
            .find_map(|effect| match &effect.kind {
                EffectKind::Repository { hooks, .. } => Some(*hooks),
                _ => None,
            })
            .unwrap_or_default()
    };
    assert!(hooks("git commit -m x").contains(&"pre-commit"));
    assert!(!hooks("git add .").contains(&"pre-commit"));
    assert!(hooks("git checkout -b x").contains(&"post-checkout"));
    assert_eq!(hooks("git status"), ["post-index-change"]);
}
