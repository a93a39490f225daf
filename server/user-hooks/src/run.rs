//! All hooks of one event at the same time, and what they came to together.

use std::time::{Duration, Instant, SystemTime};

use countersign_engine::observer::{HookResult, HookRun};
use countersign_settings::{HookAction, HookEvent, UserHook, bound_files, paths_inside};
use tokio::task::JoinSet;

use crate::answer::{self, Verdict};
use crate::command;
use crate::firing::Firing;
use crate::http::{self, Message};
use crate::runner::Tools;

/// What hooks said to a request, together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Nothing: whoever else is asked answers.
    Nothing,
    /// A hook of the user or the machine says that the call may run, and every
    /// hook that was asked ended well.
    Allow,
    /// A hook says that the call must not run.
    Deny {
        /// What the agent is told; bounded and without control characters.
        message: Option<String>,
    },
}

/// What came of one hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// For telemetry.
    pub run: HookRun,
    /// Where the hook stands.
    pub place: String,
    /// What tells it from others at the same place: a line may have several.
    pub id: String,
    /// What went wrong, or what it told the person: bounded and without control
    /// characters. None where all is well.
    pub problem: Option<String>,
}

/// What came of all hooks of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What they said; nothing for events that only tell.
    pub said: Said,
    /// One for each hook that ended.
    pub reports: Vec<Report>,
}

/// Runs all hooks of an event. Dropping the future ends them.
pub async fn run(firing: Firing, tools: Tools) -> Done {
    let may_answer = firing.event == HookEvent::PermissionRequest;
    let mut running = JoinSet::new();
    for hook in &firing.hooks {
        let (hook, firing, tools) = (hook.clone(), firing.clone(), tools.clone());
        running.spawn(async move { one(&hook, &firing, &tools).await });
    }
    let mut reports = Vec::new();
    let (mut allowed, mut all_well) = (false, true);
    while let Some(ended) = running.join_next().await {
        let Ok((report, verdict)) = ended else {
            all_well = false;
            continue;
        };
        all_well &= matches!(
            report.run.result,
            HookResult::Silent | HookResult::Allow | HookResult::Deny
        );
        reports.push(report);
        match verdict {
            // The others cannot change it any more.
            Verdict::Deny(message) if may_answer => {
                running.shutdown().await;
                return Done {
                    said: Said::Deny { message },
                    reports,
                };
            }
            Verdict::Allow if may_answer => allowed = true,
            Verdict::Nothing | Verdict::Allow | Verdict::Deny(_) => {}
        }
    }
    // One that failed might have said no.
    let said = if allowed && all_well {
        Said::Allow
    } else {
        Said::Nothing
    };
    Done { said, reports }
}

/// What one hook came to, before it is put on record.
struct End {
    result: HookResult,
    status: Option<i32>,
    verdict: Verdict,
    problem: Option<String>,
}

impl End {
    const fn silent(status: Option<i32>) -> Self {
        Self {
            result: HookResult::Silent,
            status,
            verdict: Verdict::Nothing,
            problem: None,
        }
    }

    const fn failed(problem: String) -> Self {
        Self {
            result: HookResult::Failed,
            status: None,
            verdict: Verdict::Nothing,
            problem: Some(problem),
        }
    }
}

async fn one(hook: &UserHook, firing: &Firing, tools: &Tools) -> (Report, Verdict) {
    let place = match firing.deadline {
        Some(deadline) => tokio::time::timeout_at(deadline.into(), tools.place(firing))
            .await
            .unwrap_or_else(|_| Err("it is not run: its turn did not come in time".to_owned())),
        None => tools.place(firing).await,
    };
    let (began, start) = (SystemTime::now(), Instant::now());
    let end = match place {
        Err(problem) => End::failed(problem),
        Ok(_place) => in_its_time(hook, firing, tools, start).await,
    };
    let report = Report {
        run: HookRun {
            call: firing.call.clone(),
            event: firing.event.as_str(),
            kind: hook.action.kind(),
            scope: hook.scope(),
            result: end.result,
            status: end.status,
            began,
            took: start.elapsed(),
        },
        place: hook.place(),
        id: format!(
            "{} {} {}",
            hook.place(),
            hook.matcher.as_str(),
            hook.action.shown()
        ),
        problem: end.problem,
    };
    (report, end.verdict)
}

async fn in_its_time(hook: &UserHook, firing: &Firing, tools: &Tools, start: Instant) -> End {
    let left = firing
        .deadline
        .map(|deadline| deadline.saturating_duration_since(start));
    let time = left.map_or(hook.timeout, |left| left.min(hook.timeout));
    tokio::time::timeout(time, act(hook, firing, tools))
        .await
        .unwrap_or_else(|_| End {
            result: HookResult::Timeout,
            problem: Some(format!("it did not end within {}", words(time))),
            ..End::silent(None)
        })
}

fn words(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

async fn act(hook: &UserHook, firing: &Firing, tools: &Tools) -> End {
    match &hook.action {
        HookAction::Command { command } => {
            let (looked, about) = (hook.clone(), firing.clone());
            // Looks at files.
            let checked = tokio::task::spawn_blocking(move || check(&looked, &about)).await;
            match checked {
                Ok(Ok(())) => {}
                Ok(Err(problem)) => return End::failed(problem),
                Err(error) => return End::failed(error.to_string()),
            }
            match command::run(command, firing).await {
                Ok(ended) => of_program(hook, firing, &ended),
                Err(problem) => End::failed(problem),
            }
        }
        HookAction::Http {
            url,
            headers,
            allowed_env_vars,
        } => {
            let message = Message {
                url,
                headers,
                allowed: allowed_env_vars,
                payload: &firing.payload,
            };
            match http::send(&tools.clients, tools.variables, &message).await {
                Ok(answered) => of_address(hook, firing, &answered),
                Err(problem) => End::failed(answer::shown(problem.as_bytes())),
            }
        }
    }
}

/// Whether what would run is what the user wrote or accepted, and not what an
/// agent put in its place.
fn check(hook: &UserHook, firing: &Firing) -> Result<(), String> {
    let HookAction::Command { command } = &hook.action else {
        return Ok(());
    };
    let place = &firing.place;
    if hook.is_of_workspace() {
        let workspace = place
            .workspace
            .as_deref()
            .ok_or("its workspace is not that of the session")?;
        return if bound_files(command, workspace, place.surroundings())? == hook.files {
            Ok(())
        } else {
            Err(
                "a file that it names is not the one that was accepted; look at it and run \
                 `countersign trust`"
                    .to_owned(),
            )
        };
    }
    let inside = paths_inside(command, &place.workspaces, place.surroundings());
    match inside.first() {
        None => Ok(()),
        Some(path) => Err(format!(
            "it is not run: its command names {}, where an agent may write; keep hooks in {}/hooks",
            answer::shown(path.as_str().as_bytes()),
            place.config_dir
        )),
    }
}

fn of_program(hook: &UserHook, firing: &Firing, ended: &command::Ended) -> End {
    let status = Some(ended.status);
    match (firing.event, ended.status) {
        (HookEvent::PermissionRequest, 0) => answered(hook, firing, status, &ended.stdout),
        (HookEvent::PermissionRequest, 2) => {
            let said = answer::shown(&ended.stderr);
            End {
                result: HookResult::Deny,
                status,
                verdict: Verdict::Deny((!said.is_empty()).then_some(said)),
                problem: None,
            }
        }
        (
            HookEvent::PermissionDenied
            | HookEvent::Notification
            | HookEvent::SessionStart
            | HookEvent::SessionEnd,
            0,
        ) => End::silent(status),
        (_, code) => {
            let said = answer::shown(&ended.stderr);
            let problem = if said.is_empty() {
                format!("it ended with status {code}")
            } else {
                format!("it ended with status {code}: {said}")
            };
            warning(status, problem)
        }
    }
}

fn of_address(hook: &UserHook, firing: &Firing, answered_with: &http::Answered) -> End {
    let status = Some(i32::from(answered_with.status));
    if !(200..300).contains(&answered_with.status) {
        return warning(
            status,
            format!("its address answered with status {}", answered_with.status),
        );
    }
    match firing.event {
        HookEvent::PermissionRequest => answered(hook, firing, status, &answered_with.body),
        HookEvent::PermissionDenied
        | HookEvent::Notification
        | HookEvent::SessionStart
        | HookEvent::SessionEnd => End::silent(status),
    }
}

const fn warning(status: Option<i32>, problem: String) -> End {
    End {
        result: HookResult::Warning,
        status,
        verdict: Verdict::Nothing,
        problem: Some(problem),
    }
}

fn answered(hook: &UserHook, firing: &Firing, status: Option<i32>, said: &[u8]) -> End {
    let refused = |problem: &str| End {
        status,
        ..End::failed(problem.to_owned())
    };
    match answer::read(said) {
        Ok(Verdict::Nothing) => End::silent(status),
        Ok(Verdict::Allow) if hook.is_of_workspace() => {
            refused("a workspace's hook may say no, and never yes; its answer does not count")
        }
        Ok(Verdict::Allow) if !firing.payload.is_whole => {
            refused("the call was too large to be told whole; its yes does not count")
        }
        Ok(Verdict::Allow) => End {
            result: HookResult::Allow,
            verdict: Verdict::Allow,
            ..End::silent(status)
        },
        Ok(verdict @ Verdict::Deny(_)) => End {
            result: HookResult::Deny,
            verdict,
            ..End::silent(status)
        },
        Err(problem) => refused(&problem),
    }
}
