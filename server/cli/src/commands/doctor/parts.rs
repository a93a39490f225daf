//! Which parts of the guard are degraded, since when and why: what the servers
//! that run announce, and what the journal says was wrong. Connects to nobody.

use countersign_core::redact;
use countersign_core::state::{Millis, RecordKind};
use countersign_engine::clock::{Clock as _, SystemClock};
use countersign_guard::Guard;
use countersign_ipc::discovery::{self, Announcement};
use countersign_service::Component;
use countersign_settings::Places;
use countersign_store::{Filter, Store};

use super::finding::Finding;
use crate::commands::time;

/// How long something that was wrong with the guard is news.
const NEWS: Millis = 24 * 60 * 60 * 1_000;

/// Most rows and parts that are told.
const MOST: usize = 5;
const MOST_PARTS: usize = 16;

/// Columns of what was wrong.
const WHY: usize = 300;

/// What the servers of the user's editors say of themselves.
pub(super) fn of_servers(places: &Places) -> Vec<Finding> {
    let found = discovery::find(&places.runtime_dir);
    if found.servers.is_empty() {
        return vec![Finding::skipped(
            "server",
            "none runs: no editor is open, or none that has Countersign; hooks decide alone, \
             and what a server would see is not known",
        )];
    }
    found.servers.iter().flat_map(of_server).collect()
}

fn of_server(server: &Announcement) -> Vec<Finding> {
    let folders: Vec<&str> = server
        .roots
        .iter()
        .map(|root| root.folder.as_str())
        .take(MOST)
        .collect();
    let which = format!(
        "process {}, {}",
        server.instance.process.pid,
        if folders.is_empty() {
            "no folder".to_owned()
        } else {
            redact::visible(&folders.join(", "))
        }
    );
    if server.degraded.is_empty() {
        return vec![Finding::ok("server", format!("{which}: all is well"))];
    }
    let parts = server.degraded.iter().take(MOST_PARTS);
    parts
        .map(|part| {
            let known = Component::ALL
                .into_iter()
                .find(|known| known.as_str() == part.part);
            let name = known.map_or("server", Component::as_str);
            let detail = format!(
                "{} (degraded since {} UTC; server of {which})",
                crate::output::one_line(&part.why, WHY),
                time::shown(part.since)
            );
            Finding::warning(name, detail, known.map_or("mend what is named", change))
        })
        .collect()
}

/// What to do about a part that is degraded.
const fn change(part: Component) -> &'static str {
    match part {
        Component::Guard => "start the editor from a terminal or desktop of your own",
        Component::Journal => {
            "free space on its disk or mend its rights; until then auto acts as default"
        }
        Component::Settings => "mend the file that is named",
        Component::Socket => "mend the runtime folder, or end other processes of yours",
        Component::Classifier => "see what `countersign doctor` finds at the endpoint",
        Component::Hooks => "mend the hook; `countersign hooks` lists them",
        Component::Export => {
            "start the collector, or correct the endpoint; no decision waits for it"
        }
    }
}

/// What is in the journal: its size against its limits, and what was wrong in
/// the last day.
pub(super) fn of_journal(store: &Store, guard: &Guard) -> Vec<Finding> {
    const CHECK: &str = "journal";
    let refused = store.refusal();
    let mut findings: Vec<Finding> = refused
        .iter()
        .map(|error| {
            Finding::broken(
                CHECK,
                error.to_string(),
                "mend what is named; until then nothing is recorded and auto acts as default",
            )
        })
        .collect();
    let limits = guard.effective.journal;
    match store.size() {
        Ok((rows, bytes)) => findings.push(Finding::ok(
            CHECK,
            format!(
                "{rows} rows, {} MB; kept for {} days and up to {} MB",
                bytes.div_ceil(1_000_000),
                limits.retention_days,
                limits.max_megabytes
            ),
        )),
        Err(error) => findings.push(Finding::broken(
            CHECK,
            error.to_string(),
            "see `countersign log verify`",
        )),
    }
    let now = SystemClock.now();
    let wrong = |kind| {
        let filter = Filter {
            kind: Some(kind),
            since: Some(now.saturating_sub(NEWS)),
            limit: MOST,
            ..Filter::default()
        };
        store.journal(&filter).unwrap_or_default()
    };
    for row in wrong(RecordKind::Problem) {
        let why = row.record.detail.as_deref().unwrap_or("no reason is given");
        findings.push(Finding::warning(
            CHECK,
            format!(
                "{} UTC: {}",
                time::shown(row.record.time),
                crate::output::one_line(why, WHY)
            ),
            "it is over if nothing newer is here; `countersign log --kind problem` has all",
        ));
    }
    if let Some(row) = wrong(RecordKind::Unguarded).last() {
        let agent = row.record.key.as_ref().map(|key| key.agent.as_str());
        findings.push(Finding::warning(
            CHECK,
            format!(
                "{} UTC: {} ran a tool that was never decided",
                time::shown(row.record.time),
                agent.unwrap_or("an agent")
            ),
            "its hook may be disabled, shadowed or too slow; `countersign log --kind unguarded` has all",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use countersign_ipc::discovery::{Degraded, Publication, Root};
    use countersign_ipc::instance::ServerInstance;
    use countersign_ipc::wire::PROTOCOL;

    use super::*;

    #[test]
    fn what_a_server_announces_is_told_with_its_time_and_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let places = Places::below(&home.join("countersign")).unwrap();
        assert_eq!(of_servers(&places).len(), 1, "none runs");
        let mut announcement = Announcement {
            protocol: PROTOCOL,
            version: "0.1.0".to_owned(),
            instance: ServerInstance::of_this_process().unwrap(),
            roots: vec![Root {
                folder: "/home/ada/shop".into(),
                mode: countersign_core::mode::ApprovalMode::Auto,
            }],
            activity: 1,
            degraded: Vec::new(),
        };
        let mut publication = Publication::publish(&places.runtime_dir, &announcement).unwrap();
        let told = |places| {
            let findings = of_servers(places);
            let mut text = Vec::new();
            for finding in &findings {
                finding.write(&mut text).unwrap();
            }
            let text = String::from_utf8(text).unwrap();
            anstream::adapter::strip_str(&text).to_string()
        };
        let said = told(&places);
        assert!(
            said.contains("✓ server") && said.contains("/home/ada/shop: all is well"),
            "{said}"
        );

        let degraded = |part: &str, why: &str| Degraded {
            part: part.to_owned(),
            since: 1_000,
            why: why.to_owned(),
        };
        announcement.degraded = vec![
            degraded("export", "the collector is silent"),
            degraded("something new", "odd\u{1b}[2J\nand more"),
        ];
        publication.update(&announcement).unwrap();
        let said = told(&places);
        for part in [
            "! export       the collector is silent (degraded since 1970-01-01 00:00:01 UTC; server of process ",
            "→ start the collector",
            "! server       odd\\x1b[2J",
            "→ mend what is named",
        ] {
            assert!(said.contains(part), "no `{part}` in {said}");
        }
        assert_eq!(said.lines().count(), 4, "{said}");
    }
}
