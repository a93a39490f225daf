//! A server as an editor starts it, and how soon it answers.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::figure::{Figure, Target};
use super::ground::{Ground, Wanted, program};
use super::load::{Connection, Question};
use super::lsp::Editor;
use super::times::{milliseconds, percentile_of};

/// How often a server is started.
const STARTS: usize = 11;

/// A server that takes longer to be there is not measured.
const LONGEST: Duration = Duration::from_secs(30);

/// Between two looks whether it is there.
const LOOK_EVERY: Duration = Duration::from_micros(200);

pub(super) struct Server<'g> {
    pub(super) ground: &'g Ground,
    pub(super) pid: u32,
    /// The key that every question names.
    pub(super) key: String,
    socket: PathBuf,
    editor: Editor,
}

impl<'g> Server<'g> {
    /// Starts it away from this process: below a coding agent, from which
    /// people may run the bench, it would refuse to serve.
    pub(super) fn start(ground: &'g Ground) -> Result<Self> {
        let complaints = ground.folder().join("complaints");
        let mut launcher = Command::new("setsid")
            .arg("--fork")
            .arg(program())
            .args(["lsp", "--stdio", "--home"])
            .arg(&ground.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&complaints)?)
            .spawn()
            .context("cannot run setsid; is util-linux installed?")?;
        let input = launcher.stdin.take().context("there is no pipe")?;
        let output = launcher.stdout.take().context("there is no pipe")?;
        launcher.wait()?;
        let folder = ground
            .workspace
            .to_str()
            .context("the temporary folder is not UTF-8")?;
        let said = || fs::read_to_string(&complaints).unwrap_or_default();
        let editor =
            Editor::begin(input, output, folder).with_context(|| format!("it said: {}", said()))?;
        let Some((pid, key, socket)) = announced(ground) else {
            bail!("the server does not answer hooks; it said: {}", said());
        };
        Ok(Self {
            ground,
            pid,
            key,
            socket,
            editor,
        })
    }

    pub(super) fn connect(&self) -> Result<UnixStream> {
        Ok(UnixStream::connect(&self.socket)?)
    }

    pub(super) fn stop(self) -> Result<()> {
        self.editor.end()
    }
}

/// The process, the key and the socket of the server that is announced, once
/// one is.
fn announced(ground: &Ground) -> Option<(u32, String, PathBuf)> {
    const ENDING: &str = ".server.json";
    let run = ground.home.join("run");
    let end = Instant::now() + LONGEST;
    while Instant::now() < end {
        let names = fs::read_dir(&run).into_iter().flatten().flatten();
        for entry in names {
            let name = entry.file_name();
            let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) else {
                continue;
            };
            let socket = run.join(format!("{stem}.sock"));
            let text = fs::read(entry.path()).unwrap_or_default();
            let announcement: Value = serde_json::from_slice(&text).unwrap_or_default();
            let instance = announcement.get("instance");
            let key = instance.and_then(|one| one.get("key")?.as_str().map(str::to_owned));
            let pid = instance.and_then(|one| one.get("process")?.get("pid")?.as_u64());
            if let (Some(key), Some(pid)) = (key, pid.and_then(|pid| u32::try_from(pid).ok()))
                && UnixStream::connect(&socket).is_ok()
            {
                return Some((pid, key, socket));
            }
        }
        thread::sleep(LOOK_EVERY);
    }
    None
}

/// From before the program is started until it has answered a hook.
pub(super) fn starts() -> Result<Figure> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let ground = Ground::new()?;
        let start = Instant::now();
        let server = Server::start(&ground)?;
        let mut connection = Connection::new(&server)?;
        connection.ask(&mut Question::new(&server, 0, Wanted::Read)?, 0)?;
        times.push(start.elapsed());
        drop(connection);
        server.stop()?;
    }
    Ok(Figure {
        name: format!("start to first answer, middle of {STARTS}"),
        value: milliseconds(percentile_of(&mut times, 50)),
        unit: " ms",
        target: Target::AtMost(50.0),
        besides: String::new(),
    })
}
