//! Scripts that a command runs: what they would do themselves, with the same
//! rules, as if it stood in the command.

use std::rc::Rc;

use camino::Utf8PathBuf;
use countersign_core::call::{CommandText, ShellDialect};
use countersign_core::command::Folder;
use countersign_core::effect::{Effect, EffectKind, Effects, Script, Target, Unproven};

use super::World;

/// Most scripts that are read for one command, those that scripts run included.
const MOST_SCRIPTS: usize = 8;

/// How deep scripts run scripts.
const DEEPEST: usize = 3;

/// Most that is read of all scripts of one command, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// A command with the scripts that it runs.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    /// The effects of the command, and behind them those of the scripts.
    pub(super) effects: Vec<Effect>,
    /// How many of them are the command's own.
    pub(super) own: usize,
    /// The script that each effect behind those is of.
    within: Vec<Rc<str>>,
    /// What is not proven.
    pub(super) unproven: Vec<Unproven>,
    /// The scripts that were read: canonical paths, and the commands that run
    /// them.
    pub(super) scripts: Vec<(Utf8PathBuf, usize)>,
    bytes: usize,
}

impl Expanded {
    /// The script that an effect is of, as the command names it; none for one
    /// of the command's own.
    pub(super) fn within(&self, effect: usize) -> Option<Rc<str>> {
        let at = effect.checked_sub(self.own)?;
        self.within.get(at).cloned()
    }
}

/// The effects of a command and of the scripts that it runs.
pub(super) fn expanded(effects: &Effects, world: &dyn World) -> Expanded {
    let mut all = Expanded {
        effects: effects.effects.clone(),
        own: effects.effects.len(),
        unproven: effects.unproven.clone(),
        ..Expanded::default()
    };
    let mut next_command = effects
        .effects
        .iter()
        .map(|effect| effect.command + 1)
        .max()
        .unwrap_or_default();
    // The depth of each effect: those that are found go behind.
    let mut depths = vec![0; all.effects.len()];
    let mut at = 0;
    while let (Some(effect), Some(depth)) = (all.effects.get(at), depths.get(at).copied()) {
        at += 1;
        let EffectKind::Script(script) = &effect.kind else {
            continue;
        };
        let (script, span, by) = (script.clone(), effect.span.clone(), effect.command);
        match read(&script, depth, world, &mut all) {
            Ok((path, inner)) => {
                all.scripts.push((path, by));
                let commands = inner.effects.iter().map(|effect| effect.command + 1).max();
                let name: Rc<str> = Rc::from(script.text.as_str());
                for effect in inner.effects {
                    all.within.push(Rc::clone(&name));
                    depths.push(depth + 1);
                    all.effects.push(Effect {
                        kind: moved(effect.kind, &script.folder),
                        command: next_command + effect.command,
                        span: span.clone(),
                    });
                }
                all.unproven
                    .extend(inner.unproven.into_iter().map(|unproven| Unproven {
                        reason: format!("in `{}`: {}", script.text, unproven.reason),
                        span: span.clone(),
                    }));
                next_command += commands.unwrap_or_default();
            }
            Err(reason) => all.unproven.push(Unproven { reason, span }),
        }
    }
    all
}

/// What a script would do, in its own folder and text.
fn read(
    script: &Script,
    depth: usize,
    world: &dyn World,
    all: &mut Expanded,
) -> Result<(Utf8PathBuf, Effects), String> {
    if depth >= DEEPEST || all.scripts.len() >= MOST_SCRIPTS {
        return Err(format!(
            "`{}` is not read: scripts run too many scripts",
            script.text
        ));
    }
    let content = world.script(&script.text, &script.folder)?;
    all.bytes = all.bytes.saturating_add(content.text.len());
    if all.bytes > MOST_BYTES {
        return Err(format!("`{}` is too long to be read", script.text));
    }
    let dialect = match script.dialect {
        Some(dialect) => dialect,
        None => dialect(&content.text)
            .ok_or_else(|| format!("`{}` is no script of a known shell", script.text))?,
    };
    let view = crate::script_view(&CommandText {
        text: content.text,
        dialect,
    });
    Ok((content.path, crate::effects(&view)))
}

/// The shell that the first line names; bash runs a script that names none.
fn dialect(text: &str) -> Option<ShellDialect> {
    let Some(line) = text.strip_prefix("#!") else {
        // What is no text is no script.
        return (!text.contains('\0')).then_some(ShellDialect::Bash);
    };
    let line = line.lines().next().unwrap_or_default();
    let mut words = line.split_ascii_whitespace();
    let mut program = words.next()?;
    if program == "/usr/bin/env" {
        program = words.next()?;
    } else if !program.starts_with("/bin/") && !program.starts_with("/usr/bin/") {
        return None;
    }
    let is_harmless = |word: &str| {
        word.strip_prefix('-')
            .is_some_and(|letters| letters.chars().all(|letter| "eux".contains(letter)))
    };
    if !words.all(is_harmless) {
        return None;
    }
    match program.rsplit('/').next()? {
        "bash" => Some(ShellDialect::Bash),
        "sh" | "dash" => Some(ShellDialect::Posix),
        _ => None,
    }
}

/// The same effect of a script that runs in a folder.
fn moved(kind: EffectKind, base: &Folder) -> EffectKind {
    match kind {
        EffectKind::Path { touch, target } => EffectKind::Path {
            touch,
            target: target_moved(target, base),
        },
        EffectKind::Repository { folder, hooks } => EffectKind::Repository {
            folder: below(folder, base),
            hooks,
        },
        EffectKind::Task(mut task) => {
            task.folder = below(task.folder, base);
            EffectKind::Task(task)
        }
        EffectKind::Script(mut script) => {
            script.folder = below(script.folder, base);
            EffectKind::Script(script)
        }
        EffectKind::Doing(doing, what) => EffectKind::Doing(doing, what),
    }
}

fn target_moved(mut target: Target, base: &Folder) -> Target {
    match &mut target {
        Target::Path { folder, .. }
        | Target::Glob { folder, .. }
        | Target::Into { folder, .. }
        | Target::Links { folder, .. }
        | Target::Pieces { folder, .. }
        | Target::SplitMatches { folder, .. }
        | Target::StandIns { folder } => {
            *folder = below(std::mem::take(folder), base);
        }
        Target::Unknown => {}
    }
    target
}

/// A folder as a script sees it, seen from the call.
fn below(folder: Folder, base: &Folder) -> Folder {
    match (folder, base) {
        (Folder::Call, base) => base.clone(),
        (Folder::Unknown, _) | (_, Folder::Unknown) => Folder::Unknown,
        (Folder::Moved(steps), Folder::Call) => Folder::Moved(steps),
        (Folder::Moved(steps), Folder::Moved(before)) => {
            Folder::Moved(before.iter().cloned().chain(steps).collect())
        }
    }
}
