//! Which allow rules are over-broad, by what they could match.

use crate::rules::testing::rules;

fn is_over_broad(rule: &str) -> bool {
    let set = rules(&[&format!("allow {rule}")]);
    let rule = set.rules().first().unwrap();
    assert_eq!(
        set.over_broad().count(),
        usize::from(rule.over_broad().is_some())
    );
    rule.over_broad().is_some()
}

#[test]
fn what_could_match_more_than_is_meant() {
    for rule in [
        // The specification's own examples.
        "Bash",
        "Bash()",
        "Bash(*)",
        "Bash(python:*)",
        "Bash(node*)",
        "Bash(bash -c *)",
        "Bash(p*)",
        "Bash(env *)",
        "Bash(npm run *)",
        "Bash(docker *)",
        "Bash(git *)",
        "Bash(/usr/bin/python3 *)",
        // Spellings.
        "Shell(*)",
        "run_shell_command",
        "Monitor",
        "Bash(:*)",
        "Bash(*ython *)",
        "Bash(*python*)",
        "Bash(*sh)",
        "Bash(* x)",
        "Bash(PYTHON.EXE *)",
        r"Bash(C:\Python\python.exe *)",
        "Bash('python' *)",
        "Bash(python3.12 *)",
        "Bash(./python *)",
        "Bash(FOO=1 bash *)",
        "Bash(python x*)",
        "Bash(python * x)",
        // Launchers, wrappers, remote shells, containers, agents.
        "Bash(/usr/bin/env *)",
        "Bash(xargs *)",
        "Bash(sudo *)",
        "Bash(timeout *)",
        "Bash(timeout 5 *)",
        "Bash(nohup *)",
        "Bash(time *)",
        "Bash(watch *)",
        "Bash(parallel *)",
        "Bash(busybox *)",
        "Bash(find *)",
        "Bash(fd *)",
        "Bash(ssh host *)",
        "Bash(docker exec *)",
        "Bash(podman *)",
        "Bash(claude *)",
        "Bash(codex exec *)",
        // Interpreters in disguise, and other writers.
        "Bash(sed *)",
        "Bash(awk *)",
        "Bash(tee *)",
        "Bash(rm *)",
        "Bash(mv *)",
        "Bash(cp *)",
        "Bash(chmod *)",
        "Bash(ln *)",
        "Bash(tar *)",
        "Bash(mkdir *)",
        // Network, publishing, infrastructure.
        "Bash(curl *)",
        "Bash(wget *)",
        "Bash(nc *)",
        "Bash(gh *)",
        "Bash(gh pr *)",
        "Bash(kubectl *)",
        "Bash(kubectl get *)",
        "Bash(terraform plan *)",
        "Bash(npm *)",
        "Bash(npm test *)",
        "Bash(npm publish *)",
        "Bash(npx *)",
        "Bash(uv run *)",
        "Bash(pip install *)",
        "Bash(cargo *)",
        "Bash(cargo run *)",
        "Bash(cargo * test)",
        "Bash(cargo install *)",
        "Bash(go run *)",
        "Bash(go generate *)",
        "Bash(make *)",
        "Bash(just *)",
        "Bash(git push *)",
        "Bash(git config *)",
        "Bash(git -c *)",
        "Bash(systemctl *)",
        "Bash(countersign *)",
        // Readers of credentials.
        "Bash(cat *)",
        "Bash(head *)",
        "Bash(grep *)",
        "Bash(rg *)",
        "Bash(base64 *)",
        // Nothing is known.
        "Bash(frobnicate *)",
        "Bash(./gradlew *)",
        "Bash(./ls *)",
        "Bash(/opt/ls *)",
        // Fixed sub-commands with what spoils them.
        "Bash(cargo test --config *)",
        "Bash(cargo test --target-dir *)",
        "Bash(cargo test * --config *)",
        "Bash(go test -exec *)",
        "Bash(go build -toolexec *)",
        "Bash(git diff --no-index *)",
        "Bash(git diff --output=*)",
        "Bash(git log --output *)",
        "Bash(pytest -p *)",
        "Bash(pytest -c *)",
        "Bash(pytest --rootdir *)",
        // An interpreter that reads its program from standard input.
        "Bash(bash)",
        "Bash(python3)",
        "Bash(python3 -)",
        "Bash(sh -s)",
        "Bash(sh -s x)",
        "Bash(timeout 5 bash)",
        "Bash(sudo -u root sh)",
        "Bash(node -i)",
        "Bash(/bin/bash)",
        // Other tools.
        "Agent",
        "Agent(coder)",
        "Task(coder,model:opus)",
        "Skill",
        "Skill(deploy)",
        "mcp__*",
        "mcp__files",
        "mcp__files__*",
        "mcp__files__get_*",
        "Edit",
        "Write",
        "Edit(*)",
        "NotebookEdit",
        "Read",
        "WebFetch",
        "WebFetch(domain:*)",
        "SendMessage",
        "CronCreate",
        // Files.
        "Write(**)",
        "Edit(**)",
        "Edit(./**)",
        "Edit(.)",
        "Edit(**/*.rs)",
        "Edit(*/x)",
        "Edit(/)",
        "Edit(/**)",
        "Edit(//)",
        "Edit(//**)",
        "Edit(//etc/**)",
        "Edit(//tmp/**)",
        "Edit(//etc)",
        "Edit(~)",
        "Edit(~/**)",
        "Edit(~/.*)",
        "Edit(../**)",
        "Edit(../x)",
        "Edit(src/../../x/**)",
        "Read(//**)",
        "Read(~/**)",
        "Read(~/.ssh/**)",
        "Read(~/.ssh)",
        "Read(~/.aws/*)",
        "Read(**)",
    ] {
        assert!(is_over_broad(rule), "{rule}");
    }
}

#[test]
fn what_is_bounded_stays() {
    for rule in [
        "Bash(npm test)",
        "Bash(npm run build)",
        "Bash(python script.py)",
        "Bash(bash scripts/check.sh)",
        "Bash(python -m pytest)",
        "Bash(python --version)",
        "Bash(node -v)",
        "Bash(bunx eslint .)",
        "Bash(git status)",
        "Bash(./gradlew test)",
        "Bash(docker compose up)",
        "Bash(timeout 5 npm test)",
        "Bash(echo '*')",
        "Bash(cat README.md)",
        "Bash(cargo test *)",
        "Bash(cargo test:*)",
        "Bash(cargo test -p core *)",
        "Bash(cargo test --features *)",
        "Bash(/usr/bin/git status *)",
        "Bash(cargo build *)",
        "Bash(cargo check *)",
        "Bash(cargo clippy *)",
        "Bash(cargo fmt *)",
        "Bash(go test *)",
        "Bash(go test ./...)",
        "Bash(go build *)",
        "Bash(go vet *)",
        "Bash(pytest *)",
        "Bash(pytest tests/*)",
        "Bash(git status *)",
        "Bash(git log *)",
        "Bash(git diff *)",
        "Bash(ls *)",
        "Bash(echo *)",
        "Bash(pwd)",
        "Bash(cd *)",
        "mcp__files__read",
        "TodoWrite",
        "WebFetch(domain:example.com)",
        "Edit(src/**)",
        "Edit(./docs/*.md)",
        "Edit(*.md)",
        "Edit(/src/**)",
        "Edit(//work/app/src/**)",
        "Edit(//home/u/notes/todo.txt)",
        "Read(docs/**)",
        "Read(~/projects/lib/**)",
        "Read(~/.ssh/config)",
        "Greet",
    ] {
        assert!(!is_over_broad(rule), "{rule}");
    }
}

#[test]
fn only_allow_rules_are_set_aside() {
    let set = rules(&["deny Bash(*)", "ask Bash(python *)", "deny mcp__*"]);
    assert_eq!(set.over_broad().count(), 0);
}

#[test]
fn the_reason_says_what_could_happen() {
    let set = rules(&["allow Bash(*ython *)"]);
    let reason = set.over_broad().next().unwrap().over_broad().unwrap();
    assert_eq!(
        reason.reason(),
        "could match `python`, which runs any code it is given"
    );
}
