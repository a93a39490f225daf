//! This test binary as another process: it runs itself with a task.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::state::StateError;
use countersign_store::{Filter, Store};
use rustix::process::{Resource, Rlimit};

use crate::grouped_trouble;
use crate::support::{Folder, count, counted};

const TASK: &str = "COUNTERSIGN_STORE_TEST_TASK";

/// A user that is not root, for tests that run as root.
pub(crate) const NOBODY: u32 = 12345;

/// What a task says at its end.
const DONE: &str = "the task is done";

const ARGUMENTS: [&str; 4] = ["--exact", "worker::worker", "--nocapture", "--quiet"];

pub(crate) fn command(task: &str, dir: &Utf8Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(ARGUMENTS).env(TASK, format!("{task}:{dir}"));
    command
}

/// The task behind a shell script, which ends in `exec "$@"`.
pub(crate) fn behind(program: &[&str], script: &str, task: &str, dir: &Utf8Path) -> Command {
    let (first, rest) = program.split_first().unwrap();
    let mut command = Command::new(first);
    command
        .args(rest)
        .args(["sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(ARGUMENTS)
        .env("DIR", dir)
        .env(TASK, format!("{task}:{dir}"));
    command
}

/// The task as a user for whom permissions count, who owns the folder.
pub(crate) fn as_ordinary_user(task: &str, folder: &Folder) -> Output {
    if !rustix::process::geteuid().is_root() {
        return command(task, &folder.dir).output().unwrap();
    }
    // The build's folder may be closed to others.
    let copy = folder.root.path().join("worker");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    std::os::unix::fs::chown(folder.root.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    Command::new(copy)
        .args(ARGUMENTS)
        .env(TASK, format!("{task}:{}", folder.dir))
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap()
}

#[track_caller]
pub(crate) fn succeeded(output: &Output) {
    let stdout = String::from_utf8_lossy(&output.stdout);
    // A run that found no test to run succeeds as well.
    assert!(
        output.status.success() && stdout.contains(DONE),
        "{stdout}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What the processes that other tests start are to do; run among the tests
/// it has no task.
#[test]
fn worker() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let mut parts = task.splitn(3, ':');
    let (name, argument) = (parts.next().unwrap(), parts.next().unwrap());
    let dir = Utf8PathBuf::from(parts.next().unwrap());
    match name {
        "count" => count_to(&dir, argument.parse().unwrap()),
        "endless" => endless(&dir, argument),
        "readable" => readable(&dir, argument.parse().unwrap()),
        "recovers" => recovers(&dir),
        "limited" => limited(&dir),
        "full" => full(&dir),
        "grouped_endless" => grouped_trouble::endless(&dir, argument),
        "grouped_full" => grouped_trouble::full(&dir),
        "grouped_readable" => grouped_trouble::readable(&dir),
        "grouped_recovers" => grouped_trouble::recovers(&dir),
        other => panic!("no task `{other}`"),
    }
    println!("{DONE}");
}

/// Counts to a number, opening the state for each as hooks do.
fn count_to(dir: &Utf8Path, number: u32) {
    for call in 0..number {
        let store = Store::open(dir).unwrap();
        count(&store, &format!("{}-{call}", std::process::id())).unwrap();
    }
}

/// Counts until it is killed, and says each time that it did.
fn endless(dir: &Utf8Path, name: &str) {
    let store = Store::open(dir).unwrap();
    let mut out = std::io::stdout();
    for call in 0_u64.. {
        let call = format!("{name}-{call}");
        count(&store, &call).unwrap();
        if writeln!(out, "ack {call}")
            .and_then(|()| out.flush())
            .is_err()
        {
            return;
        }
    }
}

/// Everything can be read and nothing written.
fn readable(dir: &Utf8Path, counts: u32) {
    let store = Store::open(dir).unwrap();
    assert!(
        matches!(store.refusal(), Some(StateError::Unwritable(_))),
        "{:?}",
        store.refusal()
    );
    refused(count(&store, "x"), dir);
    assert_eq!(counted(&store), counts);
    assert_eq!(
        store.journal(&Filter::default()).unwrap().len(),
        counts as usize
    );
    assert_eq!(store.verify().unwrap().rows, u64::from(counts));
}

/// What was opened for reading only is written once it can be.
fn recovers(dir: &Utf8Path) {
    let store = Store::open(dir).unwrap();
    let before = counted(&store);
    refused(count(&store, "x"), dir);
    assert_eq!(counted(&store), before);
    let limit = rustix::process::getrlimit(Resource::Fsize);
    let unlimited = Rlimit {
        current: limit.maximum,
        ..limit
    };
    rustix::process::setrlimit(Resource::Fsize, unlimited).unwrap();
    count(&store, "x").unwrap();
    assert_eq!((store.refusal(), counted(&store)), (None, before + 1));
}

#[track_caller]
pub(crate) fn refused(result: Result<(), StateError>, dir: &Utf8Path) {
    match result {
        Err(StateError::Unwritable(text)) => assert!(text.contains(dir.as_str()), "{text}"),
        other => panic!("not unwritable: {other:?}"),
    }
}

/// Files cannot grow beyond a limit that the log reaches soon.
fn limited(dir: &Utf8Path) {
    let store = Store::open(dir).unwrap();
    let mut counts = 0;
    let error = loop {
        match count(&store, "x") {
            Ok(()) => counts += 1,
            Err(error) => break error,
        }
        assert!(counts < 10_000, "the limit was never reached");
    };
    refused(Err(error), dir);
    assert_eq!(counted(&store), counts);
    assert_eq!(store.verify().unwrap().rows, u64::from(counts));
    drop(store);
    assert_eq!(counted(&Store::open(dir).unwrap()), counts);
}

/// The disk is full, and later has room again.
fn full(dir: &Utf8Path) {
    let store = Store::open(dir).unwrap();
    count(&store, "before").unwrap();
    let filler = dir.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    std::io::copy(&mut std::io::repeat(0).take(1 << 30), &mut file).unwrap_err();
    let mut counts = 1;
    let error = loop {
        match count(&store, "while") {
            Ok(()) => counts += 1,
            Err(error) => break error,
        }
    };
    refused(Err(error), dir);
    assert_eq!(counted(&store), counts);
    // A process that starts now can read, too.
    assert_eq!(counted(&Store::open(dir).unwrap()), counts);
    drop(file);
    std::fs::remove_file(&filler).unwrap();
    count(&store, "after").unwrap();
    assert_eq!(counted(&store), counts + 1);
    assert_eq!(store.verify().unwrap().rows, u64::from(counts) + 1);
}
