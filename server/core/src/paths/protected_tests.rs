use proptest::prelude::*;

use super::*;
use crate::paths::testing::{fact, write, write_through};

fn options() -> ProtectedOptions {
    ProtectedOptions {
        home: "/home/u".into(),
        config_dir: "/home/u/.config/countersign".into(),
        state_dir: "/home/u/.local/state/countersign".into(),
        runtime_dir: "/run/user/1000/countersign".into(),
        programs: vec!["/opt/tools/countersign".into()],
        path_dirs: vec!["/opt/tools".into(), ".".into()],
        workspaces: vec!["/work/app".into()],
        ..ProtectedOptions::default()
    }
}

fn protected() -> ProtectedPaths {
    ProtectedPaths::new(options())
}

fn kind(paths: &ProtectedPaths, path: &PathFact) -> Option<ProtectedKind> {
    paths.check(path).map(|protected| protected.kind)
}

fn delete(path: &str) -> PathFact {
    fact(path, Access::Delete, FileKind::Directory)
}

use ProtectedKind::{Generated, Guard, Persistence, SelfModification};

#[test]
fn what_the_spec_names_is_protected() {
    let paths = protected();
    for (want, names) in [
        (
            SelfModification,
            ".qwen/x QWEN.md AGENTS.md QWEN.local.md CLAUDE.md GEMINI.md .claude/x .codex/x .gemini/x \
             .cursor/mcp.json .opencode/x opencode.json .mcp.json .github/hooks/x .zed/settings.json \
             .vscode/settings.json x.code-workspace .nvim.lua .exrc .dir-locals.el .helix/config.toml \
             .clinerules .roo/x .goosehints .aider.conf.yml .continue/x .windsurf/x .kiro/x .amazonq/x \
             .github/copilot-instructions.md .github/agents/x sub/AGENTS.md",
        ),
        (
            Persistence,
            ".git .git/config sub/.git x.git/hooks/update .gitattributes .gitmodules .husky/pre-commit package.json .npmrc \
             .yarnrc .yarnrc.yml .pnpmfile.cjs Makefile GNUmakefile x.mk justfile Taskfile Taskfile.yml \
             Rakefile .github/workflows/ci.yml .gitlab-ci.yml .circleci/config.yml Jenkinsfile \
             .pre-commit-config.yaml lefthook.yml lefthook.toml .envrc .tool-versions .vscode/tasks.json \
             .vscode/launch.json .idea/x .devcontainer/devcontainer.json .cargo/config.toml build.rs \
             conftest.py tests/conftest.py sitecustomize.py x.pth setup.py .bazelrc \
             gradle/wrapper/gradle-wrapper.properties .mvn/wrapper/maven-wrapper.properties .bashrc .zshenv",
        ),
        (
            Generated,
            "node_modules/x/index.js .venv/bin/x venv/x vendor/x .tox/x a/__pycache__/x.pyc target/debug/x \
             build/x dist/x.js",
        ),
    ] {
        for name in names.split_whitespace() {
            for root in ["/work/app", "/home/u/other"] {
                let path = format!("{root}/{name}");
                assert_eq!(kind(&paths, &write(&path)), Some(want), "{path}");
            }
        }
    }
    for path in [
        "/home/u/.ssh/authorized_keys",
        "/home/u/.config/autostart/x.desktop",
        "/opt/tools/ls",
        "/usr/bin/ls",
        "/home/u/.local/bin/x",
        "/etc/crontab",
        "/etc/cron.d/x",
        "/var/spool/cron/u",
        "/home/u/.config/systemd/user/x.service",
        "/etc/systemd/system/x.service",
        "/home/u/Library/LaunchAgents/x.plist",
        "/Library/LaunchDaemons/x.plist",
        "/home/u/.profile",
        "/etc/ld.so.preload",
    ] {
        assert_eq!(kind(&paths, &write(path)), Some(Persistence), "{path}");
    }
}

#[test]
fn every_file_that_has_an_agent_call_the_guard_is_protected() {
    let paths = protected();
    let own = ".claude/settings.json .claude/settings.local.json .qwen/settings.json .codex/hooks.json \
               .codex/config.toml .gemini/settings.json .opencode/plugin/countersign.js \
               .config/opencode/plugin/countersign.js .cursor/hooks.json .github/hooks/countersign.json \
               .copilot/hooks/countersign.json .config/Code/User/settings.json .env";
    let machines = "/etc/claude-code/managed-settings.json /etc/qwen-code/settings.json \
                    /etc/codex/hooks.json /etc/gemini-cli/settings.json /etc/cursor/hooks.json";
    let own = own.split_whitespace();
    let own = own.flat_map(|file| ["/work/app", "/home/u"].map(|root| format!("{root}/{file}")));
    for path in own.chain(machines.split_whitespace().map(str::to_owned)) {
        assert_eq!(
            kind(&paths, &write(&path)),
            Some(SelfModification),
            "{path}"
        );
        assert_eq!(
            kind(&paths, &delete(&path)),
            Some(SelfModification),
            "{path}"
        );
    }
    let backup = "/home/u/.local/state/countersign/installed/x.json";
    assert_eq!(kind(&paths, &write(backup)), Some(Guard));
}

#[test]
fn the_guards_own_is_protected_before_all() {
    let paths = protected();
    for path in [
        "/home/u/.config/countersign/settings.json",
        "/home/u/.config/countersign",
        "/home/u/.local/state/countersign/state.db-wal",
        "/run/user/1000/countersign/lsp.sock",
        "/etc/countersign/settings.json",
        "/work/app/.countersign/settings.json",
        "/work/app/.COUNTERSIGN",
        "/work/app/.claude/worktrees/w/.countersign/settings.json",
        "/opt/tools/countersign",
    ] {
        assert_eq!(kind(&paths, &write(path)), Some(Guard), "{path}");
    }
    for path in [
        "/",
        "/home",
        "/home/u",
        "/home/u/.config",
        "/run/user/1000",
        "/etc",
        "/opt/tools",
    ] {
        assert_eq!(kind(&paths, &delete(path)), Some(Guard), "{path}");
        assert_eq!(
            kind(&paths, &fact(path, Access::Write, FileKind::Directory)),
            Some(SelfModification),
            "{path}: making a folder or putting a link there is looked at, not forbidden"
        );
    }
    assert_eq!(
        kind(&paths, &write("/work/app/src/countersign/settings.json")),
        None
    );
    assert_eq!(
        kind(&paths, &write("/home/u/.config/countersign-notes.txt")),
        None
    );
}

#[test]
fn ordinary_files_are_not_protected() {
    let paths = protected();
    for path in [
        "/work/app/src/main.rs",
        "/work/app/.gitignore",
        "/work/app/sub/.gitignore",
        "/work/app/.gitkeep",
        "/work/app/.github/ISSUE_TEMPLATE/bug.md",
        "/work/app/README.md",
        "/work/app/Cargo.toml",
        "/work/app/pyproject.toml",
        "/work/app/src/package.json.ts",
        "/work/app/makefile_parser.py",
        "/work/app/src/builder/mod.rs",
        "/work/app/.env.example",
        "/opt/tools/share/doc/readme",
        "/tmp/claude-1000/x/scratchpad/notes.py",
    ] {
        assert_eq!(paths.check(&write(path)), None, "{path}");
    }
}

#[test]
fn reading_is_no_business_of_protection() {
    for access in [Access::Read, Access::ReadTree, Access::List] {
        let paths = protected();
        assert_eq!(
            paths.check(&fact("/work/app/.git/config", access, FileKind::File)),
            None
        );
        assert_eq!(
            paths.check(&fact("/x", access, FileKind::Unresolvable)),
            None
        );
    }
}

#[test]
fn both_forms_count() {
    let paths = protected();
    for (path, target) in [
        ("/work/app/notes.txt", "/work/app/.git/hooks/pre-commit"),
        ("/work/app/.git/hooks/pre-commit", "/work/app/notes.txt"),
        ("/work/app/docs/x", "/home/u/.bashrc"),
    ] {
        assert_eq!(
            kind(&paths, &write_through(path, target)),
            Some(Persistence),
            "{path}"
        );
    }
    assert_eq!(
        kind(
            &paths,
            &write_through(
                "/work/app/Makefile",
                "/home/u/.config/countersign/settings.json"
            )
        ),
        Some(Guard),
        "the strictest counts"
    );
    assert_eq!(
        kind(
            &paths,
            &fact("/work/app/x", Access::Write, FileKind::Unresolvable)
        ),
        Some(Persistence)
    );
}

#[test]
fn spelling_tricks_do_not_pass() {
    let paths = protected();
    for (path, want) in [
        ("/work/app/.GIT/config", Persistence),
        ("/work/app/.cLaUdE/settings.json", SelfModification),
        ("/work/app/.cUrSoR/mcp.json", SelfModification),
        ("/work/app/.git./config", Persistence),
        ("/work/app/.git /config", Persistence),
        ("/work/app/.git::$INDEX_ALLOCATION/config", Persistence),
        ("/work/app/package.json::$DATA", Persistence),
        ("/work/app/GIT~1/config", Persistence),
        (r"/work/app/.git\config", Persistence),
        (r"/work/app/src\..\.git\config", Persistence),
        ("/work/app/.g\u{200c}it/config", Persistence),
        ("/work/app/src/../.git/config", Persistence),
        (
            "/work/app/.claude/worktrees/../settings.json",
            SelfModification,
        ),
        ("/HOME/U/.Config/Countersign/settings.json", Guard),
    ] {
        assert_eq!(kind(&paths, &write(path)), Some(want), "{path:?}");
    }
}

#[test]
fn parents_of_what_is_protected_are_too() {
    let paths = protected();
    for path in [
        "/work/app/.git",
        "/work/app/.claude",
        "/work/app/.github",
        "/work/app/.claude/worktrees",
        "/home/u/.ssh",
        "/home/u/.local",
        "/usr",
    ] {
        assert!(paths.check(&delete(path)).is_some(), "{path}");
        // Putting a prepared folder in its place is no better.
        assert!(
            paths
                .check(&fact(path, Access::Write, FileKind::Missing))
                .is_some(),
            "{path}"
        );
    }
    assert_eq!(paths.check(&delete("/work/app/src")), None);
    assert_eq!(paths.check(&delete("/work/app/docs/github")), None);
}

#[test]
fn a_worktree_is_judged_again_from_its_root() {
    let paths = protected();
    for agent in [".claude", ".qwen", ".CLAUDE"] {
        for free in ["w/src/main.rs", "w/README.md"] {
            let path = format!("/work/app/{agent}/worktrees/{free}");
            assert_eq!(paths.check(&write(&path)), None, "{path}");
        }
        for held in [
            // In the worktree's own place: a file of the agent's folder.
            "w",
            "settings.json",
            "w/.git",
            "w/AGENTS.md",
            "w/.claude/settings.json",
            "w/package.json",
            ".git/config",
            "w/node_modules/x.js",
            "w/.claude/worktrees/v/Makefile",
        ] {
            let path = format!("/work/app/{agent}/worktrees/{held}");
            assert!(paths.check(&write(&path)).is_some(), "{path}");
        }
    }
    assert_eq!(
        paths.check(&write(
            "/work/app/.claude/worktrees/w/.qwen/worktrees/v/src/a.rs"
        )),
        None
    );
    for held in [
        "/work/app/.codex/worktrees/w/x",
        "/work/app/.git/.claude/worktrees/w/x",
    ] {
        assert!(paths.check(&write(held)).is_some(), "{held}");
    }
    // A link in the place of a worktree leads back.
    assert!(
        paths
            .check(&write_through(
                "/work/app/.claude/worktrees/w/settings.json",
                "/work/app/.claude/settings.json"
            ))
            .is_some()
    );
}

#[test]
fn an_agents_own_notes_are_free() {
    let paths = protected();
    for path in [
        "/home/u/.claude/plans/x.md",
        "/work/app/.qwen/PROJECT_SUMMARY.md",
        "/home/u/.gemini/tmp/1/plans/x.md",
        "/work/app/.opencode/plans/x.md",
    ] {
        assert_eq!(paths.check(&write(path)), None, "{path}");
        assert!(
            paths
                .check(&fact(path, Access::Delete, FileKind::File))
                .is_some(),
            "{path}"
        );
        assert!(
            paths
                .check(&PathFact {
                    links: 2,
                    ..write(path)
                })
                .is_some(),
            "{path}"
        );
        assert!(
            paths
                .check(&write_through(path, "/work/app/CLAUDE.md"))
                .is_some(),
            "{path}"
        );
    }
    for path in [
        "/home/u/.claude/plans/x.sh",
        "/home/u/.claude/plans/AGENTS.md",
        "/home/u/.claude/plans",
        "/home/u/.claude/projects/x/memory/MEMORY.md",
        "/home/u/.gemini/tmp/1/checkpoints/x.md",
        "/home/u/.qwen/settings.json",
        "/work/app/.git/.claude/plans/x.md",
    ] {
        assert!(paths.check(&write(path)).is_some(), "{path}");
    }
}

#[test]
fn the_way_to_a_workspace_is_not_generated() {
    let paths = ProtectedPaths::new(ProtectedOptions {
        workspaces: vec!["/home/u/build/app".into()],
        ..options()
    });
    assert_eq!(paths.check(&write("/home/u/build/app/src/a.rs")), None);
    assert_eq!(
        kind(&paths, &write("/home/u/build/app/build/a.o")),
        Some(Generated)
    );
    assert_eq!(
        kind(&paths, &write("/home/u/build/other/a.rs")),
        Some(Generated)
    );
}

#[test]
fn context_files_and_additions() {
    let paths = ProtectedPaths::new(ProtectedOptions {
        context_files: vec!["TEAM.md".into(), "/docs/CONTEXT.md".into(), String::new()],
        extra: vec![
            "secrets/".into(),
            "*.sql".into(),
            "~/notes".into(),
            "/srv/app".into(),
            "db/**/schema.rb".into(),
            "a/../b".into(),
        ],
        ..options()
    });
    assert_eq!(
        kind(&paths, &write("/work/app/sub/team.MD")),
        Some(SelfModification)
    );
    assert_eq!(
        kind(&paths, &write("/work/app/docs/context.md")),
        Some(SelfModification)
    );
    assert_eq!(paths.check(&write("/work/app/CONTEXT.md")), None);
    for path in [
        "/work/app/secrets/x",
        "/work/app/x.SQL",
        "/home/u/notes/x",
        "/srv/app/x",
        "/srv",
        "/work/app/db/a/b/schema.rb",
    ] {
        assert_eq!(kind(&paths, &write(path)), Some(Persistence), "{path}");
    }
    assert_eq!(paths.check(&write("/work/app/db/a/x.rb")), None);
    assert_eq!(
        kind(&paths, &delete("/work/app/db/a")),
        Some(Persistence),
        "may hold a schema.rb"
    );
    assert_eq!(paths.rejected(), ["", "a/../b"]);
}

#[test]
fn removals_lift_what_they_name_and_never_the_guard() {
    let paths = ProtectedPaths::new(ProtectedOptions {
        removed: vec![
            "build".into(),
            "vendor/ours".into(),
            "docs/AGENTS.md".into(),
            "~/bin".into(),
            ".countersign".into(),
            "/etc/countersign".into(),
            "~/.config/**".into(),
        ],
        ..options()
    });
    for free in [
        "/work/app/build/x.rs",
        "/work/app/vendor/ours/x.go",
        "/work/app/docs/AGENTS.md",
        "/home/u/bin/x",
    ] {
        assert_eq!(paths.check(&write(free)), None, "{free}");
    }
    for (held, want) in [
        ("/work/app/build/.git/config", Persistence),
        ("/work/app/build/node_modules/x.js", Generated),
        ("/work/app/vendor/x.go", Generated),
        ("/work/app/AGENTS.md", SelfModification),
        ("/work/app/.countersign/settings.json", Guard),
        ("/etc/countersign/settings.json", Guard),
        ("/home/u/.config/countersign/settings.json", Guard),
    ] {
        assert_eq!(kind(&paths, &write(held)), Some(want), "{held}");
    }
    let paths = ProtectedPaths::new(ProtectedOptions {
        removed: vec!["*".into(), "**/x".into(), "/".into()],
        ..options()
    });
    assert_eq!(
        kind(&paths, &write("/work/app/.countersign/x")),
        Some(Guard)
    );
    assert_eq!(
        kind(&paths, &write("/home/u/.config/countersign/x")),
        Some(Guard)
    );
    assert_eq!(kind(&paths, &delete("/home/u")), Some(Guard));
}

#[test]
fn a_removal_does_not_lift_an_addition() {
    let paths = ProtectedPaths::new(ProtectedOptions {
        extra: vec!["build/prod".into()],
        removed: vec!["build".into()],
        ..options()
    });
    assert_eq!(
        kind(&paths, &write("/work/app/build/prod/x")),
        Some(Persistence)
    );
}

#[test]
fn long_and_deep_paths_take_no_time_and_are_not_free() {
    let paths = ProtectedPaths::new(ProtectedOptions {
        extra: vec!["a/**/b/**/c".into()],
        removed: vec!["build/**/build/**/build".into(), "**/build".into()],
        ..options()
    });
    let huge = "/a".repeat(2_000_000);
    assert_eq!(kind(&paths, &write(&huge)), Some(Persistence));
    let deep = "/build".repeat(255);
    assert_eq!(paths.check(&write(&deep)), None);
    let deeper = format!("{}/.countersign", "/build".repeat(600));
    assert_eq!(kind(&paths, &write(&deeper)), Some(Guard));
    let deeper = "/build".repeat(600);
    assert!(paths.check(&write(&deeper)).is_some());
}

#[test]
fn places_are_protected_where_they_really_are() {
    let paths = protected().with_canonical(|path| {
        let below = |link: &str, target: &str| {
            path.strip_prefix(link)
                .ok()
                .map(|rest| Utf8Path::new(target).join(rest))
        };
        below("/home/u/.config/countersign", "/data/dotfiles/countersign")
            .or_else(|| below("/home/u/.bashrc", "/data/dotfiles/bash/rc"))
            .or_else(|| Some(path.to_owned()))
    });
    assert_eq!(
        kind(&paths, &write("/data/dotfiles/countersign/settings.json")),
        Some(Guard)
    );
    assert_eq!(kind(&paths, &delete("/data/dotfiles")), Some(Guard));
    assert_eq!(
        kind(&paths, &write("/data/dotfiles/bash/rc")),
        Some(Persistence)
    );
    assert_eq!(paths.check(&write("/data/dotfiles/readme")), None);
}

#[test]
fn unset_folders_protect_nothing() {
    let paths = ProtectedPaths::new(ProtectedOptions::default());
    assert_eq!(paths.check(&write("/work/app/src/a.rs")), None);
    assert_eq!(
        kind(&paths, &write("/work/app/.git/config")),
        Some(Persistence)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn spelling_does_not_change_the_answer(
        segments in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    ".git", ".claude", "worktrees", "w", "plans", "x.md", "package.json", ".github",
                    "workflows", "hooks", "node_modules", "home", "u", ".config", "countersign", "src",
                    "settings.json", "work", "app", "x.mk", "build",
                ])
                .prop_map(str::to_owned),
                "[a-z]{1,4}",
            ],
            0..7,
        ),
        upper in prop::collection::vec(any::<bool>(), 7),
        noise in prop::collection::vec(prop::sample::select(vec!["", "./", "/", ".//./", "zz/../"]), 7),
        access in prop::sample::select(vec![Access::Write, Access::Delete]),
        links in 1_u64..3,
    ) {
        let plain = format!("/{}", segments.join("/"));
        let odd: String = segments
            .iter()
            .zip(&upper)
            .zip(&noise)
            .map(|((segment, upper), noise)| {
                let segment = if *upper { segment.to_uppercase() } else { segment.clone() };
                format!("/{noise}{segment}")
            })
            .collect();
        // `//` at the very beginning is another thing: a UNC path.
        let odd = format!("/{}", odd.trim_start_matches('/'));
        let paths = protected();
        let fact = |path: &str| PathFact { links, ..fact(path, access, FileKind::File) };
        prop_assert_eq!(paths.check(&fact(&plain)), paths.check(&fact(&odd)), "{} {}", plain, odd);
    }

    #[test]
    fn nothing_below_the_guards_folders_is_free(
        below in "[a-zA-Z./ ~]{0,20}",
        removed in prop::collection::vec("[a-z.*~/]{0,12}", 0..4),
    ) {
        let paths = ProtectedPaths::new(ProtectedOptions { removed, ..options() });
        // Stay below: each `..` is undone first.
        let below = below.replace("..", "x");
        let path = format!("/home/u/.config/countersign/{below}");
        prop_assert_eq!(kind(&paths, &write(&path)), Some(Guard), "{}", path);
    }
}
