//! A Neovim of a Debian suite below the target folder. It is made once and
//! used from then on; without the folder it is made anew.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::archive::{quietly, unpack};
use crate::repository::root;

/// Changed with the way it is made, so that older ones are made anew.
const RECIPE: u32 = 2;

/// Neovim, the terminal that it is driven through, and what looks through Lua.
const PACKAGES: [&str; 5] = ["neovim", "tmux", "ncurses-base", "lua-check", "patchelf"];

/// Those of their programs that are run.
const PROGRAMS: [&str; 3] = ["usr/bin/nvim", "usr/bin/tmux", "usr/bin/lua5.1"];

/// A Neovim that runs in place.
#[derive(Debug)]
pub(super) struct Installation {
    /// Where the packages are unpacked.
    files: PathBuf,
    /// What it calls itself, as `NVIM v0.10.4`.
    pub(super) version: String,
}

impl Installation {
    /// The Neovim of that suite, installed if it is not.
    ///
    /// # Errors
    /// When packages cannot be had, or what is unpacked does not run.
    pub(super) fn of(suite: &str) -> Result<Self> {
        let folder = root().join("target/e2e").join(format!("neovim-{suite}"));
        let parent = folder.parent().context("the target folder has no parent")?;
        fs::create_dir_all(parent)?;
        let lock = File::create(folder.with_extension("lock"))?;
        lock.lock().context("cannot lock the installation")?;

        let stamp = folder.join("complete");
        let expected = stamp_text(&folder);
        if fs::read_to_string(&stamp).is_ok_and(|text| text == expected)
            && let Ok(present) = Self::at(&folder)
        {
            return Ok(present);
        }
        println!("installing Neovim of {suite} into {}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let scratch = folder.join("apt");
        let files = folder.join("root");
        unpack(suite, &PACKAGES, &scratch, &files)?;
        for program in PROGRAMS {
            make_runnable(&files, program)?;
        }
        let made = Self::at(&folder).context("what was installed does not run")?;
        fs::remove_dir_all(&scratch)?;
        fs::write(&stamp, expected)?;
        Ok(made)
    }

    fn at(folder: &Path) -> Result<Self> {
        let mut installation = Self {
            files: folder.join("root"),
            version: String::new(),
        };
        let printed = quietly(Command::new(installation.program()).arg("--version"))?;
        let first = printed.lines().next().unwrap_or_default();
        if !first.starts_with("NVIM ") {
            bail!("`nvim --version` begins with `{first}`");
        }
        installation.version = first.to_owned();
        Ok(installation)
    }

    pub(super) fn program(&self) -> PathBuf {
        self.files.join("usr/bin/nvim")
    }

    /// The terminal.
    pub(super) fn tmux(&self) -> PathBuf {
        self.files.join("usr/bin/tmux")
    }

    /// What looks through Lua, ready to be given arguments.
    pub(super) fn luacheck(&self) -> Result<Command> {
        let scripts = self.files.join("usr/share/lua/5.1");
        let [.., modules] = self.variables()?;
        let (scripts, folders) = (scripts.join("?.lua"), scripts.join("?/init.lua"));
        let path = format!("{};{};;", scripts.display(), folders.display());
        let mut command = Command::new(self.files.join("usr/bin/lua5.1"));
        command
            .env("LUA_PATH", path)
            .envs([modules])
            .arg(self.files.join("usr/bin/luacheck"));
        Ok(command)
    }

    /// The variables by which all of them find what belongs to them.
    pub(super) fn variables(&self) -> Result<[(&'static str, String); 3]> {
        let modules = Libraries::below(&self.files)?.folder.join("lua/5.1/?.so");
        let share = self.files.join("usr/share");
        Ok([
            (
                "VIMRUNTIME",
                share.join("nvim/runtime").display().to_string(),
            ),
            (
                "TERMINFO_DIRS",
                share.join("terminfo").display().to_string(),
            ),
            ("LUA_CPATH", format!("{};;", modules.display())),
        ])
    }
}

/// The programs hold absolute paths, so an installation that was moved is none.
fn stamp_text(folder: &Path) -> String {
    format!("recipe {RECIPE} at {}\n", folder.display())
}

/// Binds a program to the C library it came with, for itself and for the
/// libraries it loads: the machine's own may be older. `patchelf` must be
/// unpacked beside it.
pub(crate) fn make_runnable(files: &Path, program: &str) -> Result<()> {
    let libraries = Libraries::below(files)?;
    quietly(
        Command::new(&libraries.loader)
            .arg("--library-path")
            .arg(&libraries.folder)
            .arg(files.join("usr/bin/patchelf"))
            .arg("--set-interpreter")
            .arg(&libraries.loader)
            // The older kind of path holds for libraries of libraries too.
            .args(["--force-rpath", "--set-rpath"])
            .arg(&libraries.folder)
            .arg(files.join(program)),
    )?;
    Ok(())
}

/// The libraries of the machine's architecture, below `usr/lib`.
struct Libraries {
    folder: PathBuf,
    /// The program that loads them.
    loader: PathBuf,
}

impl Libraries {
    fn below(files: &Path) -> Result<Self> {
        for folder in sorted(&files.join("usr/lib"))? {
            if !folder.is_dir() {
                continue;
            }
            let loader = sorted(&folder)?.into_iter().find(|file| {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with("ld-linux") && file.is_file()
            });
            if let Some(loader) = loader {
                return Ok(Self { folder, loader });
            }
        }
        bail!("no C library in {}", files.display())
    }
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
