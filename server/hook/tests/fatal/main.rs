//! The hook's last line of defence, for real: this test starts itself, the
//! child dies in every way there is, and what it leaves behind is looked at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unsafe_code, reason = "the child has to crash for real")]

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use countersign_hook::fatal;
use libtest_mimic::{Arguments, Trial};

const STDOUT: &[u8] = b"{\"decision\":\"block\"}\n";
const STDERR: &[u8] = b"blocked: the guard failed\n";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|argument| argument == "child") {
        die(&arguments[2]);
        return ExitCode::from(99);
    }
    let mut trials: Vec<Trial> = [
        "overflow",
        "overflow-in-a-thread",
        "panic",
        "panic-in-a-thread",
        "panic-with-something-buffered",
        "abort",
        "null-write",
        "illegal-instruction",
        "deadline",
        "deadline-that-passed-already",
        "deadline-in-a-busy-loop",
    ]
    .into_iter()
    .map(|mode| {
        trial(&format!("{mode} is a block"), move || {
            expect_block(child(mode));
        })
    })
    .collect();
    trials.push(trial(
        "every signal that would end it is a block",
        every_signal,
    ));
    trials.push(trial("no signal stops it", no_signal_stops));
    trials.push(trial(
        "signals that its parent blocked still end in a block",
        blocked_mask,
    ));
    trials.push(trial("an answer is given once and stays", one_answer));
    trials.push(trial("the block can change", changed));
    trials.push(trial("a reader that went away is no crash", no_reader));
    trials.push(trial("an unlimited stack is limited", unlimited_stack));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name.replace(' ', "_"), move || {
        run();
        Ok(())
    })
}

// What the child does.

fn die(mode: &str) {
    let block = fatal::StaticBlock {
        stdout: STDOUT,
        stderr: STDERR,
        exit: 2,
    };
    fatal::install(block).unwrap();
    match mode {
        "overflow" => drop(black_box(overflow(0))),
        "overflow-in-a-thread" => drop(std::thread::spawn(|| black_box(overflow(0))).join()),
        "panic" => panic!("on purpose"),
        "panic-in-a-thread" => drop(std::thread::spawn(|| panic!("on purpose")).join()),
        "panic-with-something-buffered" => {
            print_half_an_answer();
            panic!("on purpose");
        }
        "abort" => std::process::abort(),
        // SAFETY: none; the fault is what is wanted.
        "null-write" => unsafe { black_box(std::ptr::null_mut::<u32>()).write_volatile(1) },
        // SAFETY: signals itself.
        "illegal-instruction" => drop(black_box(unsafe { libc::raise(libc::SIGILL) })),
        "deadline" => {
            fatal::deadline(Duration::from_millis(50)).unwrap();
            hang();
        }
        "deadline-that-passed-already" => {
            fatal::deadline(Duration::ZERO).unwrap();
        }
        "deadline-in-a-busy-loop" => {
            fatal::deadline(Duration::from_millis(50)).unwrap();
            loop {
                std::hint::spin_loop();
            }
        }
        "hang" => hang(),
        "answer" => {
            // SAFETY: signals itself, which is taken for the answer's rival.
            std::thread::spawn(|| unsafe { libc::kill(libc::getpid(), libc::SIGUSR1) });
            fatal::answer(b"allow\n", b"", 0);
        }
        "changed" => {
            fatal::install(fatal::StaticBlock {
                stdout: b"other\n",
                stderr: b"",
                exit: 0,
            })
            .unwrap();
            fatal::block_now();
        }
        other => panic!("unknown mode {other}"),
    }
}

#[expect(unconditional_recursion, reason = "the stack has to overflow")]
fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    overflow(depth.wrapping_add(1)).wrapping_add(frame[0])
}

/// Leaves bytes in a buffer of the standard library that never become a line.
fn print_half_an_answer() {
    std::io::stdout().write_all(b"{\"decision\":").unwrap();
}

/// Says that it is ready by a byte on stdout that the test takes away, then
/// waits for ever.
fn hang() {
    std::io::stdout().write_all(b"\n").unwrap();
    loop {
        std::thread::park();
    }
}

// What the test looks at.

fn command(mode: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["child", mode])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn child(mode: &str) -> Child {
    command(mode).spawn().unwrap()
}

/// A child that has said that it is ready.
fn ready(mut child: Child) -> Child {
    let mut byte = [0];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut byte)
        .unwrap();
    assert_eq!(byte, *b"\n");
    child
}

fn signal(child: &Child, signal: i32) {
    let pid = libc::pid_t::try_from(child.id()).unwrap();
    // SAFETY: the child is ours and has not been waited for.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

fn leftovers(child: Child) -> (ExitStatus, Vec<u8>, Vec<u8>) {
    let output = child.wait_with_output().unwrap();
    (output.status, output.stdout, output.stderr)
}

fn expect_block(child: Child) {
    let (status, stdout, stderr) = leftovers(child);
    let stdout = stdout.strip_prefix(b"\n").unwrap_or(&stdout);
    assert_eq!(status.code(), Some(2), "{status:?}");
    assert_eq!(stdout, STDOUT, "{}", String::from_utf8_lossy(stdout));
    assert_eq!(stderr, STDERR, "{}", String::from_utf8_lossy(&stderr));
}

fn every_signal() {
    let real_time = libc::SIGRTMIN()..=libc::SIGRTMAX();
    let harmless = [
        libc::SIGKILL,
        libc::SIGSTOP,
        libc::SIGCHLD,
        libc::SIGCONT,
        libc::SIGURG,
        libc::SIGWINCH,
        libc::SIGPIPE,
        libc::SIGXFSZ,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
    ];
    for number in (1..=31).chain(real_time) {
        if harmless.contains(&number) {
            continue;
        }
        let child = ready(child("hang"));
        signal(&child, number);
        expect_block(child);
    }
}

fn no_signal_stops() {
    let child = ready(child("hang"));
    for number in [
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
        libc::SIGPIPE,
        libc::SIGXFSZ,
        libc::SIGWINCH,
    ] {
        signal(&child, number);
    }
    // Were it stopped, this would never be handled, and the test would hang.
    signal(&child, libc::SIGTERM);
    expect_block(child);
}

fn blocked_mask() {
    use std::os::unix::process::CommandExt as _;
    let mut command = command("hang");
    // SAFETY: the closure makes only calls that are safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
            Ok(())
        });
    }
    let child = ready(command.spawn().unwrap());
    signal(&child, libc::SIGTERM);
    expect_block(child);
}

/// Either the answer or the block, whole: never both, never a mix.
fn one_answer() {
    for _ in 0..20 {
        let (status, stdout, stderr) = leftovers(child("answer"));
        match status.code() {
            Some(0) => assert_eq!((&*stdout, &*stderr), (&b"allow\n"[..], &b""[..])),
            Some(2) => assert_eq!((&*stdout, &*stderr), (STDOUT, STDERR)),
            _ => panic!("{status:?}"),
        }
    }
}

fn changed() {
    let (status, stdout, stderr) = leftovers(child("changed"));
    assert_eq!(status.code(), Some(0));
    assert_eq!((&*stdout, &*stderr), (&b"other\n"[..], &b""[..]));
}

fn no_reader() {
    let mut child = ready(child("hang"));
    drop(child.stdout.take());
    drop(child.stderr.take());
    signal(&child, libc::SIGTERM);
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(2), None));
}

fn unlimited_stack() {
    use std::os::unix::process::CommandExt as _;
    let mut command = command("overflow");
    // SAFETY: the closure makes only calls that are safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            let mut limit: libc::rlimit = std::mem::zeroed();
            libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit);
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_STACK, &raw const limit);
            Ok(())
        });
    }
    expect_block(command.spawn().unwrap());
}
