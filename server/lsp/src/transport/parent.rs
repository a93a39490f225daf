//! Notices that the editor is gone where its end of the connection stays open,
//! as when something that it started still holds it.

use std::time::Duration;

use countersign_core::state::ProcessId;

/// How often the editor is looked for.
const INTERVAL: Duration = Duration::from_secs(3);

/// Resolves when the process of this pid (`processId` of `initialize`) is gone.
///
/// Never resolves where the pid is not that of a process above this one: then
/// it is a number of another pid namespace (an editor in a container) or not
/// the editor's own, and says nothing about whether the editor runs.
pub async fn watch_parent(pid: u32) {
    let above = countersign_ipc::ancestors(std::process::id());
    let parent = above
        .processes
        .into_iter()
        .skip(1)
        .find(|process| process.id.pid == pid);
    let Some(parent) = parent else {
        tracing::info!(
            pid,
            "the editor's process is not above this one; not watched"
        );
        return std::future::pending().await;
    };
    ended(&parent.id, INTERVAL).await;
}

/// Resolves when exactly this process has ended.
async fn ended(process: &ProcessId, interval: Duration) {
    while countersign_ipc::alive(process) {
        tokio::time::sleep(interval).await;
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_process_is_watched_until_it_ends() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let id = countersign_ipc::ancestors(child.id()).processes[0]
            .id
            .clone();
        let watching = tokio::spawn(async move { ended(&id, Duration::from_millis(5)).await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!watching.is_finished(), "it still runs");
        child.kill().unwrap();
        child.wait().unwrap();
        tokio::time::timeout(Duration::from_secs(20), watching)
            .await
            .expect("the end is noticed")
            .unwrap();
    }

    #[tokio::test]
    async fn a_pid_that_is_not_above_is_not_watched() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let mut watching = Box::pin(watch_parent(pid));
        assert!((&mut watching).now_or_never().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(watching.now_or_never().is_none());
    }
}
