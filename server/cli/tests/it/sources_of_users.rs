//! Where the file of users is not what says who they are, the small program
//! hands over: another source is a library, and it loads none. What the system
//! says of its sources is bound over the real file, for what runs behind that
//! alone: no path of the program is anybody's to choose.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use camino::Utf8PathBuf;

use crate::small::apart;
use crate::support::{AUTO, DECIDING, PROGRAM, Ran, Sandbox, feed, through};

/// What systems say in which users come from a directory, or may.
const OTHERS: [&str; 2] = ["sss files", "compat"];

/// What they say in which the file is what counts.
const FILE: &str = "files systemd";

/// A mount of one's own, as root and as anybody else.
const WAYS: [&[&str]; 2] = [&["-m"], &["-r", "-m"]];

/// Binds its first argument over the real file, and becomes the others.
const BOUND: &str = "mount --bind \"$1\" /etc/nsswitch.conf && shift && exec \"$@\"";

/// Programs behind which users come from these sources.
#[track_caller]
fn with_users_of(sandbox: &Sandbox, sources: &str) -> Vec<String> {
    let file = sandbox.home.with_file_name("nsswitch.conf");
    fs::write(&file, format!("passwd: {sources}\ngroup: files\n")).unwrap();
    let behind = |flags: &[&str]| -> Vec<String> {
        [
            &["unshare"],
            flags,
            &["/bin/sh", "-c", BOUND, "sh", file.as_str()],
        ]
        .concat()
        .iter()
        .map(ToString::to_string)
        .collect()
    };
    let works = |words: &Vec<String>| {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("true").stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let mut ways = WAYS.into_iter().map(behind);
    // Left out, this would hold nowhere and nobody would know.
    ways.find(works).expect(
        "nothing can be mounted: run the tests as root, or let users have namespaces of their own",
    )
}

/// The small program in a folder of its own.
struct Installed<'s> {
    sandbox: &'s Sandbox,
    hook: Utf8PathBuf,
}

impl<'s> Installed<'s> {
    fn alone(sandbox: &'s Sandbox) -> Self {
        let folder = sandbox.home.with_file_name("installed");
        fs::create_dir(&folder).unwrap();
        let hook = apart(&folder, "countersign-hook");
        Self { sandbox, hook }
    }

    fn other(&self) -> Utf8PathBuf {
        self.hook.with_file_name("countersign")
    }

    fn log(&self) -> Utf8PathBuf {
        self.hook.with_file_name("became")
    }

    /// Puts the other program beside it, which writes down what it was given.
    fn with_other(self) -> Self {
        let log = self.log();
        let script = format!("#!/bin/sh\necho \"$*\" >>'{log}'\nexec '{PROGRAM}' \"$@\"\n");
        fs::write(self.other(), script).unwrap();
        fs::set_permissions(self.other(), fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// How often it became the other program.
    fn became(&self) -> usize {
        fs::read_to_string(self.log())
            .unwrap_or_default()
            .lines()
            .count()
    }

    fn ran(&self, behind: &[String], (agent, event): (&str, &str), command: &str) -> Ran {
        let mut words = self.sandbox.hook_words(agent, event);
        words[0] = self.hook.as_str();
        let behind: Vec<&str> = behind.iter().map(String::as_str).collect();
        let call = self.sandbox.shell(agent, event, command);
        feed(&mut through(&behind, &words), call.to_string().as_bytes())
    }
}

/// How often it became the other program, and how many decisions were recorded.
fn decides_behind(sources: &str) -> (usize, usize) {
    let sandbox = Sandbox::trusted(AUTO);
    let installed = Installed::alone(&sandbox).with_other();
    let behind = with_users_of(&sandbox, sources);
    for (agent, event) in DECIDING {
        let ran = installed.ran(&behind, (agent, event), "cargo test --all");
        ran.assert_allow(agent, event);
        let ran = installed.ran(&behind, (agent, event), "uproot vines");
        let message = ran.assert_block(event);
        assert!(message.contains("deny rule"), "{sources}: {message}");
    }
    sandbox.assert_verified();
    (installed.became(), sandbox.rows("decision").len())
}

#[test]
fn it_becomes_the_other_program_and_the_decision_is_the_same() {
    let (became, decisions) = decides_behind(FILE);
    assert_eq!(became, 0, "where the file counts, it decides itself");
    assert_ne!(decisions, 0);
    for sources in OTHERS {
        let every_call = 2 * DECIDING.len();
        assert_eq!(
            decides_behind(sources),
            (every_call, decisions),
            "{sources}"
        );
    }
}

#[test]
fn without_the_other_program_it_blocks_everything_and_says_what_to_do() {
    let sandbox = Sandbox::trusted(AUTO);
    let installed = Installed::alone(&sandbox);
    for sources in OTHERS {
        let behind = with_users_of(&sandbox, sources);
        for (agent, event) in DECIDING {
            let ran = installed.ran(&behind, (agent, event), "cargo test --all");
            let message = ran.assert_block(event);
            assert!(message.contains(installed.other().as_str()), "{message}");
            assert!(message.contains("install Countersign again"), "{message}");
        }
    }
    assert!(!sandbox.database().exists(), "nothing was decided");
    let behind = with_users_of(&sandbox, FILE);
    for (agent, event) in DECIDING {
        let ran = installed.ran(&behind, (agent, event), "cargo test --all");
        ran.assert_allow(agent, event);
    }
}
