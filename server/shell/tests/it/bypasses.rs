//! Published ways around guards: the hidden command is listed, or something is
//! not understood; and what must stay plain has no problem.
//!
//! After the advisories for Claude Code, Cursor, Codex and Gemini CLI and the
//! articles by Flatt, Adversa, Backslash, Tracebit and others; in our words.

use countersign_core::call::ShellDialect;

use crate::support::{shows, view, view_in};

#[test]
fn rm_does_not_hide() {
    for text in [
        // Quoting and expansion.
        "r\"\"m -rf d",
        "r\\m -rf d",
        "'rm' -rf d",
        "\"r\"'m' -rf d",
        "$'\\x72\\x6d' -rf d",
        "$'\\162\\155' -rf d",
        "rm${IFS}-rf${IFS}d",
        "rm$IFS-rf$IFS'd'",
        "{rm,-rf,d}",
        "a=r;b=m;$a$b -rf d",
        "a=rm; \"$a\" d",
        "${x:-rm} d",
        "$(echo rm) d",
        "`echo rm` d",
        "$(printf '%s' rm) d",
        "$(echo cm0K | base64 -d) d",
        "eval $(echo cm0gZAo= | base64 -d)",
        "echo cm0gZAo= | base64 -d | sh",
        "r\\\nm d",
        "/bin/rm d",
        "\\rm d",
        "/bin/r? d",
        "/???/rm d",
        // Separators and layout.
        "ls x#; rm d",
        "ls\nrm d",
        "ls\rrm d",
        "ls & rm d",
        "ls; rm d",
        "ls&&rm d",
        "ls||rm d",
        "ls |& rm d",
        "echo \"\\\"; rm d; echo \\\"\"; rm d",
        "ls \u{200B}; rm d",
        "ls \u{2028} rm d",
        "! rm d",
        "!(rm d)",
        "{ rm d; }",
        "(rm d)",
        "((rm d))\n(rm d)",
        "( (rm d) )",
        "( ( rm d ) )",
        "if rm d; then :; fi",
        "case x in *) rm d;; esac",
        "case x in x) echo $(case y in y) rm d;; esac);; esac",
        "for i in 1; do rm d; done",
        "until rm d; do :; done",
        "time rm d",
        "time -- rm d",
        "coproc rm d",
        "coproc N { rm d; }",
        "select x in y; do rm d; done",
        "X=1 rm d",
        "> f rm d",
        "{fd}>f rm d",
        "2>&1 rm d",
        "a[1]=2 rm d",
        "a[ 1 ]=2 rm d",
        "a[ # ]; rm d",
        "a[ ' ]; rm d # '",
        "a[\"]\"]=1; rm d",
        "a=(1 2) rm d",
        // Wrappers and launchers.
        "command rm d",
        "builtin command rm d",
        "env rm d",
        "env -i A=1 rm d",
        "env -S 'rm d'",
        "sudo rm d",
        "sudo -u root rm d",
        "doas rm d",
        "nohup rm d",
        "timeout 5 rm d",
        "timeout -k 1 5 rm d",
        "nice -n 5 rm d",
        "stdbuf -oL rm d",
        "setsid rm d",
        "ionice -c3 rm d",
        "flock f rm d",
        "watch rm d",
        "exec rm d",
        "busybox rm d",
        "xargs rm < f",
        "xargs -t rm d",
        "ls | xargs -I{} sh -c {}",
        "find . -exec rm {} +",
        "find . -ok rm {} +",
        "fd -x rm d",
        "fd -X rm",
        "bash -c 'rm d'",
        "bash -lc 'rm d'",
        "sh -ec 'rm d'",
        "bash --norc <(echo 'rm d')",
        "bash --init-file <(echo 'rm d') -i",
        "bash < f",
        "source <(rm d)",
        "trap 'rm d' EXIT",
        "alias ls='rm d'",
        "function ls { rm d; }",
        "ls(){ rm d; }",
        "echo x | while read y; do rm d; done",
        // Forty and more before it.
        &format!("{}rm d", "true; ".repeat(60)),
        &format!("ls {}; rm d", " ".repeat(300)),
        &format!("ls {}; rm d", "x".repeat(10_001)),
    ] {
        assert!(shows(&view(text), "rm"), "{text}");
    }
}

#[test]
fn touch_does_not_hide_in_substitutions() {
    for text in [
        "echo \"\\\"; touch f; echo \\\"\"; touch f",
        "echo $(touch f)",
        "echo `touch f`",
        "echo \"$(touch f)\"",
        "echo ${x=\"$\"}${y=\"$x(touch f)\"}${y@P}",
        "echo ${x:-$(touch f)}",
        "echo ${x[$(touch f)]}",
        "echo ${x:$(touch f)}",
        "echo $[ x='a[$(touch f)]', x ]",
        "echo $((a[$(touch f)]))",
        "((a[$(touch f)]))",
        "[[ -v 'a[$(touch f)]' ]]",
        "test -v 'a[$(touch f)]'",
        "printf -v 'a[$(touch f)]' x",
        "[[ 'a[$(touch f)]' -eq 1 ]]",
        "x='a[$(touch f)]'; echo $((x))",
        "x='a[$(touch f)]'; let x",
        "x='a[$(touch f)]'; declare -i y=x",
        "x='a[$(touch f)]'; echo ${y[x]}",
        "x='a[$(touch f)]'; echo ${y:x}",
        "x='a[$(touch f)]'; y[x]=1",
        "export x='a[$(touch f)]'; bash -c 'echo $((x))'",
        "cat <(touch f)",
        "diff <(touch f) y",
        "ls >(touch f)",
        "tee >(touch f)",
        "ls > >(touch f)",
        "cat <<< $(touch f)",
        "cat <<E\n$(touch f)\nE",
        "cat <<E\n`touch f`\nE",
        "cat <<E\n${x:-$(touch f)}\nE",
        "cat <<E > $(touch f)\nx\nE",
        "cat <<'E'\nx\nE\ntouch f",
        "cat <<E\nx\\\nE\ntouch f\nE",
        "cat <<\"E\"\nx\nE\n$(touch f)",
        "ping -c1 $(touch f).example",
        "ls a@($(touch f))",
        "[[ x =~ $(touch f) ]]",
        "case $(touch f) in x) ;; esac",
        "for x in $(touch f); do :; done",
        "for ((i=$(touch f);;)); do :; done",
        "x=($(touch f))",
        "x=$(touch f)",
        "export x=$(touch f)",
        "X=$(touch f) ls",
        "$(touch f)",
        "\"$(touch f)\"",
        "ls ${x/$(touch f)/y}",
        "f() { touch f; }; f",
        "env -S 'touch f'",
        "find . -exec touch f \\;",
        "find . -name x -exec sh -c 'touch f' \\;",
        "xargs -t touch f",
        "fd -x touch f",
        "export PAGER='x'; touch f",
        "ssh host touch f",
    ] {
        assert!(shows(&view(text), "touch"), "{text}");
    }
}

#[test]
fn zsh_has_ways_of_its_own() {
    for text in [
        "echo =(touch f)",
        "ls *(e:'touch f':)",
        "ls x(e:'touch f':)",
        "echo x >! f",
        "echo x >>! f",
        "noglob touch f",
        "- touch f",
        "repeat 3 touch f",
        "=touch f",
        "x='touch f'; $x",
        "${(e)x} touch",
        "echo ${(e):-'$(touch f)'}",
    ] {
        assert!(shows(&view_in(text, ShellDialect::Zsh), "touch"), "{text}");
    }
}

#[test]
fn writes_are_listed_as_redirects() {
    for text in [
        "echo x > .git/hooks/pre-commit",
        "echo x >> ~/.bashrc",
        "echo x >| f",
        "echo x 1<>f",
        "echo x >&f",
        "ls &>/etc/x",
        "ls &>>/etc/x",
        "ls 2>/etc/x",
        "> f",
        "echo x > $F",
        "echo x > *.txt",
        "{ echo x; } > f",
        "cd .claude && echo x > settings.json",
        "cat > f <<E\nx\nE",
        "exec 3<>/dev/tcp/h/80",
    ] {
        let view = view(text);
        assert!(
            view.commands
                .iter()
                .flat_map(|command| &command.redirects)
                .any(|redirect| redirect.kind.writes() && redirect.target.is_some()),
            "{text}"
        );
    }
}

#[test]
fn everyday_commands_have_no_problem() {
    for text in [
        "ls -la 2>/dev/null",
        "git status --short",
        "grep -rn \"rm -rf\" .",
        "echo \"a; b\"",
        "cat a | head -n 5",
        "wc -l $(git ls-files)",
        "sed -n '1,20p' f",
        "find . -name '*.rs' -type f",
        "cargo test 2>&1 | tail -20",
        "cd sub && ls",
        "true && pwd",
        "rg -n 'foo|bar' src",
        "FOO=1 cargo test",
        "cat <<'E'\n$(not run)\nE",
        "[ -f x ] && echo yes",
        "for f in *.rs; do wc -l \"$f\"; done",
        "git commit -m \"$(cat <<'EOF'\nIt's done (really)\nEOF\n)\"",
        "awk '{print $1}' f | sort | uniq -c",
        "if [[ -d x && ! -e y ]]; then mkdir -p y; fi",
        "curl -s https://example.com/a?b=c\\&d=e | jq '.x[0]'",
        "python3 - <<'EOF'\nprint('(')\nEOF",
        "export PATH=\"$HOME/bin:$PATH\"; make -j$(nproc)",
        "for i in {1..3}; do echo $((i * 2)); done",
        "git log --format='%h %s' HEAD~3..HEAD",
        "git stash show 'stash@{0}' && git show HEAD@{1}:f",
        "test -n \"$(git diff)\" || echo clean",
        "docker ps --format '{{.Names}}'",
        "echo \"${x:-none}\" \"${y%.c}.o\" ${#z}",
    ] {
        assert_eq!(view(text).problems, [], "{text}");
    }
}
