//! Which settings of git are only data.

use super::syntax::Setting;

/// Whose settings they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Of the workspace's repository.
    Workspace,
    /// Of a repository inside it.
    Inside,
}

/// Sections all of whose settings are data, or only matter to commands that
/// are never contained (those that use the network).
const SECTIONS: &[&str] = &[
    "advice",
    "author",
    "color",
    "column",
    "committer",
    "gui",
    "http",
    "i18n",
    "user",
    "versionsort",
];

/// Settings without a subsection that are data. Sorted.
const DATA: &[&str] = &[
    "apply.whitespace",
    "blame.coloring",
    "blame.date",
    "blame.ignorerevsfile",
    "blame.showemail",
    "branch.autosetupmerge",
    "branch.autosetuprebase",
    "branch.sort",
    "checkout.defaultremote",
    "checkout.guess",
    "clean.requireforce",
    "commit.cleanup",
    "commit.gpgsign",
    "commit.status",
    "commit.verbose",
    "core.abbrev",
    "core.autocrlf",
    "core.bare",
    "core.bigfilethreshold",
    "core.checkstat",
    "core.commentchar",
    "core.commitgraph",
    "core.compression",
    "core.eol",
    "core.excludesfile",
    "core.filemode",
    "core.fscache",
    "core.hidedotfiles",
    "core.ignorecase",
    "core.logallrefupdates",
    "core.longpaths",
    "core.multipackindex",
    "core.precomposeunicode",
    "core.preloadindex",
    "core.quotepath",
    "core.repositoryformatversion",
    "core.safecrlf",
    "core.symlinks",
    "core.trustctime",
    "core.untrackedcache",
    "core.whitespace",
    "diff.algorithm",
    "diff.colormoved",
    "diff.colormovedws",
    "diff.context",
    "diff.ignoresubmodules",
    "diff.indentheuristic",
    "diff.mnemonicprefix",
    "diff.noprefix",
    "diff.renamelimit",
    "diff.renames",
    "diff.submodule",
    "diff.wserrorhighlight",
    "extensions.worktreeconfig",
    "feature.manyfiles",
    "fetch.parallel",
    "fetch.prune",
    "fetch.prunetags",
    "format.pretty",
    "gc.auto",
    "gc.autodetach",
    "gc.autopacklimit",
    "gpg.format",
    "grep.linenumber",
    "index.threads",
    "index.version",
    "init.defaultbranch",
    "lfs.repositoryformatversion",
    "log.abbrevcommit",
    "log.date",
    "log.decorate",
    "log.follow",
    "log.mailmap",
    "maintenance.auto",
    "maintenance.strategy",
    "merge.conflictstyle",
    "merge.ff",
    "merge.log",
    "merge.renamelimit",
    "merge.renames",
    "pack.threads",
    "pack.window",
    "pull.ff",
    "pull.rebase",
    "push.autosetupremote",
    "push.default",
    "push.followtags",
    "rebase.autosquash",
    "rebase.autostash",
    "rebase.updaterefs",
    "receive.denycurrentbranch",
    "receive.denynonfastforwards",
    "rerere.autoupdate",
    "rerere.enabled",
    "stash.showpatch",
    "stash.showstat",
    "status.aheadbehind",
    "status.branch",
    "status.relativepaths",
    "status.renames",
    "status.short",
    "status.showstash",
    "status.showuntrackedfiles",
    "submodule.active",
    "submodule.fetchjobs",
    "submodule.recurse",
    "tag.gpgsign",
    "tag.sort",
    "worktree.guessremote",
];

/// Settings of a remote that are data.
const REMOTE: &[&str] = &[
    "fetch",
    "gh-resolved",
    "mirror",
    "prune",
    "prunetags",
    "push",
    "pushurl",
    "skipdefaultupdate",
    "skipfetchall",
    "tagopt",
    "url",
];

/// Settings of a branch that are data.
const BRANCH: &[&str] = &[
    "description",
    "gh-merge-base",
    "github-pr-owner-number",
    "merge",
    "pushremote",
    "rebase",
    "remote",
    "vscode-merge-base",
];

/// Whether a setting of a repository itself runs nothing and leads nowhere.
pub(super) fn is_data(setting: &Setting, of: Of) -> bool {
    let value = setting.value.as_deref().unwrap_or("true");
    let key = setting.key.as_str();
    // Aliases never stand for a command that git has; these it has not always
    // had.
    if setting.section == "alias" {
        return !matches!(key, "range-diff" | "restore" | "switch");
    }
    if SECTIONS.contains(&setting.section.as_str()) {
        return true;
    }
    if setting.subsection.is_some() {
        return match setting.section.as_str() {
            "remote" => REMOTE.contains(&key),
            "branch" => BRANCH.contains(&key),
            "submodule" => match key {
                "active" | "branch" | "fetchrecursesubmodules" | "ignore" | "shallow" | "url" => {
                    true
                }
                "update" => matches!(value, "checkout" | "merge" | "none" | "rebase"),
                _ => false,
            },
            "lfs" => matches!(key, "access" | "locksverify"),
            "url" => matches!(key, "insteadof" | "pushinsteadof"),
            _ => false,
        };
    }
    let name = setting.name();
    match name.as_str() {
        // The first is git's own; older ones run a program of that name, which
        // does nothing.
        "core.fsmonitor" => matches!(value, "true" | "false"),
        "extensions.objectformat" => value == "sha1",
        "core.worktree" => of == Of::Inside,
        _ => DATA.binary_search(&name.as_str()).is_ok(),
    }
}

/// Sections of the user's settings whose values are never run.
const NEVER_RUN: &[&str] = &[
    "advice",
    "author",
    "branch",
    "color",
    "column",
    "commit",
    "committer",
    "fetch",
    "format",
    "gui",
    "http",
    "i18n",
    "log",
    "maintenance",
    "pull",
    "push",
    "rebase",
    "safe",
    "stash",
    "status",
    "tag",
    "url",
    "user",
];

/// Whether a setting of the user names a program that is not surely the user's
/// own: in a folder that `is_agents` says agents write, or relative, so that it
/// means another one in each repository.
pub(super) fn names_a_program_of_others(
    setting: &Setting,
    is_agents: impl Fn(&str) -> bool,
) -> bool {
    let key = setting.key.as_str();
    let is_never_run = NEVER_RUN.contains(&setting.section.as_str())
        || (setting.section == "core" && matches!(key, "excludesfile" | "attributesfile"))
        // Run only for what is no command of git.
        || setting.section == "alias"
        || (setting.section == "remote" && matches!(key, "fetch" | "push" | "url" | "pushurl"));
    if is_never_run {
        return false;
    }
    if setting.is("core", "worktree") {
        return true;
    }
    setting
        .value
        .as_deref()
        .unwrap_or_default()
        .split(|c: char| c.is_whitespace() || "'\"`;|&()<>=!".contains(c))
        .any(|word| {
            if word.starts_with('/') || word.starts_with("~/") || word.starts_with("$HOME/") {
                is_agents(word)
            } else {
                word.contains('/') && !word.contains("://")
            }
        })
}

#[cfg(test)]
mod tests {
    use super::super::syntax;
    use super::*;

    fn settings(text: &str) -> Vec<Setting> {
        syntax::read(text).unwrap()
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(DATA.is_sorted());
    }

    #[test]
    fn a_usual_repository_has_only_data() {
        let text = "[core]\nrepositoryformatversion = 0\nfilemode = true\nbare = false\n\
            logallrefupdates = true\n[remote \"origin\"]\nurl = git@example.org:x\n\
            fetch = +refs/heads/*:refs/remotes/origin/*\n[branch \"main\"]\nremote = origin\n\
            merge = refs/heads/main\n[user]\nname = A\n[submodule \"lib\"]\nactive = true\n\
            [http \"https://example.org/\"]\nextraheader = x\n[alias]\nst = status\n";
        for setting in settings(text) {
            assert!(is_data(&setting, Of::Workspace), "{}", setting.name());
        }
    }

    #[test]
    fn what_runs_or_leads_elsewhere_is_no_data() {
        let text = "[core]\nfsmonitor = ./x\npager = x\neditor = x\nsshcommand = x\n\
            worktree = ../x\naskpass = x\nattributesfile = x\ngitproxy = x\nalternaterefscommand = x\n\
            [core \"x\"]\nbare = true\n[diff]\nexternal = x\n[diff \"x\"]\ntextconv = x\ncommand = x\n\
            [filter \"x\"]\nclean = x\nsmudge = x\nprocess = x\n[merge \"x\"]\ndriver = x\n\
            [gpg]\nprogram = x\n[gpg \"ssh\"]\nprogram = x\ndefaultkeycommand = x\n[credential]\nhelper = x\n\
            [include]\npath = x\n[includeIf \"gitdir:/\"]\npath = x\n[pager]\nlog = x\n[interactive]\n\
            difffilter = x\n[sequence]\neditor = x\n[remote \"o\"]\nuploadpack = x\nvcs = x\nproxy = x\n\
            promisor = true\n[branch \"b\"]\nmergeoptions = x\n[submodule \"s\"]\nupdate = !x\n\
            [trailer \"x\"]\ncmd = x\n[hook \"x\"]\ncommand = x\n[extensions]\nobjectformat = sha256\n\
            partialclone = o\nrefstorage = reftable\n[uploadpack]\npackobjectshook = x\n[tar \"x\"]\n\
            command = x\n[gc]\npruneexpire = now\n[log]\nshowsignature = true\n[alias]\nswitch = !x\n[new]\nsetting = x\n";
        for setting in settings(text) {
            assert!(!is_data(&setting, Of::Workspace), "{}", setting.name());
        }
    }

    #[test]
    fn the_users_programs_are_the_users_own_unless_agents_write_them() {
        let own = "[core]\npager = delta\neditor = code --wait\nexcludesfile = /ws/x\n[filter \"lfs\"]\n\
            clean = git-lfs clean -- %f\n[credential]\nhelper = !/usr/bin/gh auth git-credential\n\
            [safe]\ndirectory = /ws\n[url \"git@x:\"]\ninsteadOf = https://x/\n[gpg]\nprogram = ~/bin/gpg\n";
        let of_others = "[core]\npager = /ws/x\nfsmonitor = .git/x\neditor = sh -c '/ws/x'\n\
            sshcommand = \"ssh -F /ws/x\"\n[diff \"x\"]\ntextconv = ./x\n[init]\ntemplatedir = /ws/t\n";
        let is_agents = |path: &str| path.starts_with("/ws");
        for setting in settings(own) {
            assert!(
                !names_a_program_of_others(&setting, is_agents),
                "{}",
                setting.name()
            );
        }
        for setting in settings(of_others) {
            assert!(
                names_a_program_of_others(&setting, is_agents),
                "{}",
                setting.name()
            );
        }
    }
}
