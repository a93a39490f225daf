//! Ends a hook in a block when nothing else can any more: a fatal signal, a
//! panic, a stack overflow, somebody's SIGTERM, the deadline.
//!
//! An agent runs the tool when its hook dies, so dying has to be an answer.
//! The answer is prepared while all is well, as two byte strings and an exit
//! status, and given with calls that are safe in a signal handler. Answers of
//! a hook that is well go through [`answer`], so that there is exactly one.
#![allow(
    unsafe_code,
    reason = "signal handlers and their stack have no safe interface"
)]

use std::io;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::time::{Duration, Instant};

/// What the agent gets when the hook cannot go on: prepared, so that giving it
/// needs neither memory nor formatting.
#[derive(Debug, Clone, Copy)]
pub struct StaticBlock {
    /// All of stdout.
    pub stdout: &'static [u8],
    /// All of stderr.
    pub stderr: &'static [u8],
    /// The exit status that makes the agent take it for a block.
    pub exit: i32,
}

/// The block to give; null until [`install`].
static BLOCK: AtomicPtr<StaticBlock> = AtomicPtr::new(ptr::null_mut());

/// Whether somebody has begun to answer. Whoever sets it answers; nobody else.
static ANSWERED: AtomicBool = AtomicBool::new(false);

/// The status that agents take for a block where nothing else was said.
const BLOCK_STATUS: i32 = 2;

/// Room for the handler when the stack has none left: the kernel's frame with
/// the widest vector registers is about 12 KiB.
const STACK_BYTES: usize = 64 * 1024;

/// The most stack that the main thread may take. Without a limit, endless
/// recursion would take all memory, and the kernel's answer to that is SIGKILL.
const MOST_STACK: libc::rlim_t = 64 * 1024 * 1024;

/// Arms everything: from here on the process ends in an answer, whatever
/// happens to it, except for SIGKILL. Called again, it changes the block.
///
/// Call it first in `main`, before threads exist.
///
/// # Errors
/// When the kernel refuses; nothing of the hook may run then, and the caller
/// gives the block itself.
pub fn install(block: StaticBlock) -> io::Result<()> {
    // Never freed: a handler may be reading the one before.
    let before = BLOCK.swap(Box::into_raw(Box::new(block)), Ordering::AcqRel);
    if !before.is_null() {
        return Ok(());
    }
    std::panic::set_hook(Box::new(|_| block_now()));
    bound_stack()?;
    handler_stack()?;
    handle_signals()
}

/// Gives the block when the time since the process started reaches `budget`.
/// Time in which the machine slept counts up to this call only. Returns when
/// that will be.
///
/// # Errors
/// When the kernel refuses the timer.
pub fn deadline(budget: Duration) -> io::Result<Instant> {
    let left = budget.saturating_sub(age());
    let end = Instant::now() + left;
    if left.is_zero() {
        block_now();
    }
    let timer = libc::itimerval {
        it_interval: libc::timeval {
            tv_sec: 0,
            tv_usec: 0,
        },
        it_value: libc::timeval {
            tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
            // A timer of nothing would be no timer.
            tv_usec: libc::suseconds_t::from(left.subsec_micros() as i32).max(1),
        },
    };
    // SAFETY: `timer` is a valid value; the old one is not asked for.
    check(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) })?;
    Ok(end)
}

/// Ends the deadline: another program takes this one's place, and sets its own.
///
/// # Errors
/// When the kernel refuses.
pub fn no_deadline() -> io::Result<()> {
    // SAFETY: all zeroes is a valid value, and means no timer.
    let none: libc::itimerval = unsafe { std::mem::zeroed() };
    // SAFETY: `none` is a valid value; the old one is not asked for.
    check(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const none, ptr::null_mut()) })
}

/// Gives the answer of a hook that is well, and ends the process. Nothing that
/// happens after its first byte can add to it.
pub fn answer(stdout: &[u8], stderr: &[u8], exit: i32) -> ! {
    if ANSWERED.swap(true, Ordering::AcqRel) {
        wait_for_the_other();
    }
    finish(stdout, stderr, exit)
}

/// Gives the prepared block, and ends the process.
pub fn block_now() -> ! {
    if ANSWERED.swap(true, Ordering::AcqRel) {
        wait_for_the_other();
    }
    give_block()
}

/// Another thread is answering and ends the process; this one has no say.
fn wait_for_the_other() -> ! {
    loop {
        // SAFETY: `pause` only waits; it returns after a handler has run.
        unsafe { libc::pause() };
    }
}

/// Gives the prepared block. Safe in a signal handler.
fn give_block() -> ! {
    let block = BLOCK.load(Ordering::Acquire);
    // SAFETY: it is null or came from a `Box` that is never freed or changed.
    match unsafe { block.as_ref() } {
        Some(block) => finish(block.stdout, block.stderr, block.exit),
        // Only before `install`.
        None => finish(b"", b"", BLOCK_STATUS),
    }
}

/// Writes and exits. Safe in a signal handler. stdout first: stderr may be a
/// terminal that somebody has stopped.
fn finish(stdout: &[u8], stderr: &[u8], exit: i32) -> ! {
    write_all(libc::STDOUT_FILENO, stdout);
    write_all(libc::STDERR_FILENO, stderr);
    // SAFETY: ends the process at once; buffers of ours are left unwritten on
    // purpose, they would spoil the answer.
    unsafe { libc::_exit(exit) }
}

/// Writes as much as the other side takes. A pipe that is full is waited for
/// one second at a time, at most five times.
fn write_all(descriptor: libc::c_int, mut bytes: &[u8]) {
    let mut patience = 5_u8;
    while !bytes.is_empty() {
        // SAFETY: pointer and length are those of a live slice.
        let written = unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) };
        if let Ok(written) = usize::try_from(written) {
            bytes = bytes.get(written..).unwrap_or_default();
            continue;
        }
        match last_error() {
            libc::EINTR => {}
            libc::EAGAIN if patience > 0 => {
                patience -= 1;
                let mut wait = libc::pollfd {
                    fd: descriptor,
                    events: libc::POLLOUT,
                    revents: 0,
                };
                // SAFETY: one valid entry; `poll` is safe in a signal handler.
                unsafe { libc::poll(&raw mut wait, 1, 1000) };
            }
            _ => return,
        }
    }
}

/// The handler of every signal that would end the process.
extern "C" fn on_signal(signal: libc::c_int) {
    if !ANSWERED.swap(true, Ordering::AcqRel) {
        give_block();
    }
    // The answer is on its way. A signal from outside and the deadline come too
    // late to change it; a fault would come again for ever.
    if !is_fault(signal) {
        return;
    }
    // How much of the answer is out is not known: let the status say block.
    // SAFETY: ends the process.
    unsafe { libc::_exit(BLOCK_STATUS) }
}

/// Whether the signal says that the program itself cannot go on.
const fn is_fault(signal: libc::c_int) -> bool {
    matches!(
        signal,
        libc::SIGSEGV
            | libc::SIGBUS
            | libc::SIGILL
            | libc::SIGFPE
            | libc::SIGABRT
            | libc::SIGTRAP
            | libc::SIGSYS
    )
}

/// What becomes of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disposition {
    /// The answer is the block.
    Block,
    /// Nothing: the call that caused it fails, and the hook sees that. A hook
    /// must not be stopped either; one that hangs is passed over.
    Ignore,
    /// As it is: harmless, or not ours to change.
    Leave,
}

const fn disposition(signal: libc::c_int) -> Disposition {
    match signal {
        libc::SIGPIPE | libc::SIGXFSZ | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => {
            Disposition::Ignore
        }
        libc::SIGKILL
        | libc::SIGSTOP
        | libc::SIGCHLD
        | libc::SIGCONT
        | libc::SIGURG
        | libc::SIGWINCH => Disposition::Leave,
        _ => Disposition::Block,
    }
}

#[cfg(target_os = "linux")]
fn last_signal() -> libc::c_int {
    libc::SIGRTMAX()
}

#[cfg(not(target_os = "linux"))]
fn last_signal() -> libc::c_int {
    31
}

/// Replaces the standard library's handlers too, which would print and abort.
fn handle_signals() -> io::Result<()> {
    for signal in 1..=last_signal() {
        let handler = match disposition(signal) {
            Disposition::Block => on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t,
            Disposition::Ignore => libc::SIG_IGN,
            Disposition::Leave => continue,
        };
        // SAFETY: all zeroes is a valid value of this plain C structure.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_ONSTACK | libc::SA_RESTART;
        // SAFETY: the set is ours. With every signal blocked in the handler,
        // it runs once.
        unsafe { libc::sigfillset(&raw mut action.sa_mask) };
        // SAFETY: `action` is fully set; the handler makes only calls that
        // POSIX lists as safe in a handler, and atomic operations.
        let done = unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
        // The C library keeps some real-time signals for itself (EINVAL).
        if done != 0 && signal <= 31 {
            return Err(io::Error::last_os_error());
        }
    }
    // Whoever started us may have blocked signals; blocked, they would not end
    // in an answer.
    // SAFETY: all zeroes is a valid value, and it is emptied at once.
    let mut none: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is ours; the old mask is not asked for.
    check(unsafe {
        libc::sigemptyset(&raw mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut())
    })
}

/// Gives the main thread's handlers a stack of their own with an unmapped page
/// below it. Threads started by the standard library have one already.
fn handler_stack() -> io::Result<()> {
    // SAFETY: asks for fresh memory at no particular place.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(64 * 1024);
    // SAFETY: as above; the mapping is never undone.
    let memory = unsafe {
        libc::mmap(
            ptr::null_mut(),
            page + STACK_BYTES,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the first page of the mapping made above.
    check(unsafe { libc::mprotect(memory, page, libc::PROT_NONE) })?;
    let stack = libc::stack_t {
        // SAFETY: stays inside the mapping, which is `page + STACK_BYTES` long.
        ss_sp: unsafe { memory.byte_add(page) },
        ss_flags: 0,
        ss_size: STACK_BYTES,
    };
    // SAFETY: the memory stays mapped and is used for nothing else.
    check(unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) })
}

/// Bounds the main thread's stack where whoever started us left it unbounded.
fn bound_stack() -> io::Result<()> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is ours to fill.
    check(unsafe { libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit) })?;
    if limit.rlim_cur <= MOST_STACK {
        return Ok(());
    }
    limit.rlim_cur = MOST_STACK;
    // SAFETY: `limit` is valid, and only the soft limit goes down.
    check(unsafe { libc::setrlimit(libc::RLIMIT_STACK, &raw const limit) })
}

/// How long ago this process started: the agent's clock began to run then.
/// Nothing where it cannot be told.
#[cfg(target_os = "linux")]
fn age() -> Duration {
    let start = std::fs::read("/proc/self/stat")
        .ok()
        .and_then(|stat| start_ticks(&stat));
    // SAFETY: a plain question.
    let per_second = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).unwrap_or(0);
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is ours to fill.
    let asked = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut now) };
    let (Some(start), true, Ok(seconds), Ok(nanos)) = (
        start,
        asked == 0 && per_second > 0,
        u64::try_from(now.tv_sec),
        u32::try_from(now.tv_nsec),
    ) else {
        return Duration::ZERO;
    };
    let start = Duration::from_secs(start / per_second)
        + Duration::from_secs(start % per_second) / u32::try_from(per_second).unwrap_or(1);
    Duration::new(seconds, nanos).saturating_sub(start)
}

#[cfg(not(target_os = "linux"))]
fn age() -> Duration {
    Duration::ZERO
}

/// Field 22 of `/proc/<pid>/stat`; the name before it ends at the last `)`.
#[cfg(target_os = "linux")]
fn start_ticks(stat: &[u8]) -> Option<u64> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    std::str::from_utf8(stat.get(name_end.checked_add(1)?..)?)
        .ok()?
        .split_ascii_whitespace()
        .nth(19)?
        .parse()
        .ok()
}

fn last_error() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
