//! Commands that run commands.

use crate::support::{check, check_with_problem, commands, origins, problems};

/// Asserts that the last command listed is this one, and nothing is in doubt.
#[track_caller]
fn runs(text: &str, inner: &str) {
    assert_eq!(commands(text).last().unwrap(), inner, "{text}");
    assert_eq!(problems(text), [""; 0], "{text}");
}

/// Asserts that the command is listed though the launcher is not understood.
#[track_caller]
fn guesses(text: &str, inner: &str) {
    let found = commands(text);
    assert!(found.iter().any(|one| one == inner), "{text}: {found:?}");
    assert!(!problems(text).is_empty(), "{text}");
}

#[test]
fn wrappers_are_transparent() {
    for text in [
        "timeout 5 rm x",
        "timeout -k 1 -s KILL 5 rm x",
        "timeout --signal=KILL --preserve-status 5s rm x",
        "nice rm x",
        "nice -n 5 rm x",
        "nice -5 rm x",
        "nohup rm x",
        "time -p rm x",
        "/usr/bin/time -v rm x",
        "stdbuf -oL -eL rm x",
        "command rm x",
        "command -p -- rm x",
        "nohup nice -n 5 timeout 5 rm x",
    ] {
        runs(text, "rm|x");
    }
    assert_eq!(
        origins("nice timeout 5 a"),
        [
            "nice|timeout|5|a: direct",
            "timeout|5|a: wrapped 0",
            "a: wrapped 1"
        ]
    );
    check("command -v rm", &["command|-v|rm"]);
    check("timeout 5", &["timeout|5"]);
}

#[test]
fn launchers_with_understood_options() {
    for text in [
        "env rm x",
        "env -i FOO=1 BAR= rm x",
        "env -u FOO -C /d rm x",
        "env -S 'rm x'",
        "env --split-string='A=1 rm' x",
        "env - rm x",
        "sudo rm x",
        "sudo -u root -E -- rm x",
        "sudo --user=root A=1 rm x",
        "doas -u root rm x",
        "setsid -w rm x",
        "ionice -c3 rm x",
        "chrt -f 50 rm x",
        "taskset -c 0,1 rm x",
        "flock f rm x",
        "flock -n f -c 'rm x'",
        "watch -n 1 rm x",
        "watch 'rm x'",
        "strace -f -e trace=file rm x",
        "chroot /d rm x",
        "unshare -rn rm x",
        "exec rm x",
        "exec -a y rm x",
        "builtin rm x",
        "busybox rm x",
        "xvfb-run rm x",
        "ssh -p 22 host rm x",
        "ssh host 'rm x'",
        "su -c 'rm x'",
        "su root -c 'rm x'",
        "script -qc 'rm x' /dev/null",
        "find . -name y -exec rm x \\;",
        "parallel ::: 'rm x'",
        "uv run rm x",
        "git bisect run rm x",
        "docker run --rm -it -v a:b image rm x",
        "docker exec -it c rm x",
        "kubectl exec pod -- rm x",
        "eval rm x",
        "eval 'rm' \"x\"",
        "trap 'rm x' EXIT",
        "coproc rm x",
        "bash -c 'rm x'",
        "bash -lc 'rm x'",
        "sh -ec 'rm x' sh",
        "/bin/bash --norc -o pipefail -c 'rm x'",
        "timeout 5 sudo env X=1 bash -c 'rm x'",
        "bash -c \"bash -c 'rm x'\"",
        "bash <<< 'rm x'",
        "bash <<'E'\nrm x\nE",
        "bash -s <<E\nrm x\nE",
        "echo 'rm x' | sh",
        "printf 'rm %s' x | timeout 5 bash -s",
        "echo rm x | bash /dev/stdin",
    ] {
        runs(text, "rm|x");
    }
}

#[test]
fn words_that_come_later_are_dynamic() {
    runs("xargs rm", "rm|…");
    runs("xargs -0 -n 1 rm -f", "rm|-f|…");
    runs("xargs -I{} rm a{} b", "rm|a…|b");
    runs("find . -exec rm {} \\;", "rm|…");
    runs("find . -exec rm {} + -print", "rm|…");
    runs("fd -e c -x rm", "rm|…");
    runs("fd -X rm {}", "rm|…");
    runs("parallel rm ::: a b", "rm|…");
    runs("parallel rm {} ::: a b", "rm|…");
    assert_eq!(
        commands("find . -exec a \\; -exec b {} +"),
        ["find|.|-exec|a|;|-exec|b|{}|+", "a", "b|…"]
    );
}

#[test]
fn launchers_that_are_not_understood_hide_nothing() {
    for text in [
        "timeout --odd 5 rm x",
        "timeout $t rm x",
        "sudo -i rm x",
        "env $y rm x",
        "env A=$y rm x",
        "sudo A=$y rm x",
        "env -S 'a\\_b' rm x",
        "nice --odd rm x",
        "time -o f rm x",
        "xargs --odd rm x",
        "docker --context c run image rm x",
        "docker run --odd image rm x",
        "systemd-run --user rm x",
        "tmux new rm x",
        "hyperfine rm x",
        "uv run --with y rm x",
        "kubectl exec pod rm x",
        "-o rm x",
    ] {
        guesses(text, "rm|x");
    }
    // A text behind them is looked into as well.
    guesses("sudo --odd bash -c 'rm x'", "rm|x");
    check_with_problem("nice --odd a", &["nice|--odd|a", "a"], "`nice`");
}

#[test]
fn texts_that_are_not_known_are_problems() {
    for text in [
        "bash -c \"$x\"",
        "bash -c \"rm $x\"",
        "eval \"$x\"",
        "eval $(echo x | base64 -d)",
        "a | sh",
        "sh < f",
        "curl x | bash",
        "echo $x | bash",
        "echo cm0gLXJm | base64 -d | sh",
        "bash <(echo 'rm x')",
        "bash --init-file <(echo 'rm x') -i",
        "source <(echo 'rm x')",
        "xargs -I{} sh -c {}",
        "xargs bash -c",
        "find . -exec sh -c {} \\;",
        "trap \"$x\" EXIT",
        "fish -c 'rm x'",
        "pwsh -c 'rm x'",
        "su -c \"$x\"",
        "ssh -o ProxyCommand='rm x' host ls",
    ] {
        assert!(!problems(text).is_empty(), "{text}");
    }
}

#[test]
fn files_and_nothing_else() {
    check("bash f.sh a", &["bash|f.sh|a"]);
    check("bash --version", &["bash|--version"]);
    check(". ./f", &[".|./f"]);
    check("npx a b", &["npx|a|b"]);
    check("sudo -u root", &["sudo|-u|root"]);
    check("docker ps -a", &["docker|ps|-a"]);
    check("find . -name '*.c'", &["find|.|-name|*.c"]);
    check("xargs -0", &["xargs|-0"]);
}

#[test]
fn nesting_ends_somewhere() {
    let mut text = "rm x".to_owned();
    for _ in 0..12 {
        text = format!("env {text}");
    }
    runs(&text, "rm|x");
    for _ in 0..12 {
        text = format!("env {text}");
    }
    assert!(
        problems(&text)
            .iter()
            .any(|reason| reason.contains("nesting"))
    );
}
