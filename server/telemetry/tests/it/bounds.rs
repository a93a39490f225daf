//! A collector that is down, slow or refuses costs no decision, and no more
//! memory than there is room for; what is dropped is counted.

use std::time::{Duration, Instant};

use countersign_core::classify::Verdict;
use countersign_engine::observer::Observer as _;
use serde_json::json;

use crate::collector::{Behaviour, Collector};
use crate::desk::{Desk, PROTOCOLS, Setup, blocked};

/// Room for so many items in the queue, and so many of each signal that are
/// held to be sent.
const ROOM: u64 = 64;

/// An hour of an agent that calls a tool every second.
const HOUR: u64 = 3_600;

fn desk(collector: Collector) -> Desk {
    let setup = Setup::from(collector)
        .and("OTEL_BSP_MAX_QUEUE_SIZE", &ROOM.to_string())
        .and("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16")
        .and("OTEL_BSP_SCHEDULE_DELAY", "10")
        .and("OTEL_METRIC_EXPORT_INTERVAL", "50")
        .and("OTEL_EXPORTER_OTLP_TIMEOUT", "60000");
    Desk::with(&setup, &json!({}))
}

/// Has an hour of decisions told, and looks at what is held meanwhile.
fn an_hour(desk: &Desk) {
    // Asked for already, so that the engine is not what is measured.
    let allowed = desk.run("s", "ls", &Verdict::Allow).outcome;
    let denied = desk
        .run("s", "curl https://example.com", &blocked())
        .outcome;
    for number in 0..HOUR {
        desk.telemetry
            .decided(if number % 10 == 0 { &denied } else { &allowed });
        if number % 100 == 0 {
            let health = desk.health();
            assert!(health.queued <= ROOM, "{health:?}");
            // Spans and log records.
            assert!(health.held <= 2 * ROOM, "{health:?}");
        }
    }
}

/// Ends at a collector that takes nothing; everything was dropped and counted.
fn nothing_arrived(desk: &Desk) {
    let before = Instant::now();
    let flushed = desk.stop(Duration::from_secs(2));
    assert!(flushed.in_time, "{flushed:?}");
    // One export may take a minute: whoever waited for one would be seen.
    assert!(before.elapsed() < Duration::from_secs(30));
    assert!(flushed.dropped >= HOUR, "{flushed:?}");
}

#[test]
fn with_a_collector_that_is_down_memory_stays_bounded_and_drops_are_counted() {
    for protocol in PROTOCOLS {
        let desk = desk(Collector::down(protocol));
        an_hour(&desk);
        let health = until(&desk, |health| health.failing.is_some());
        assert!(health.dropped > HOUR / 2, "{health:?}");
        let failing = health.failing.unwrap();
        assert!(failing.why.contains("cannot be reached"), "{failing:?}");
        nothing_arrived(&desk);
    }
}

#[test]
fn a_collector_that_never_answers_holds_up_nobody() {
    // One export may take a minute: whoever waited for one would be seen.
    for protocol in PROTOCOLS {
        let before = Instant::now();
        let desk = desk(Collector::new(protocol, Behaviour::Hangs));
        an_hour(&desk);
        assert!(before.elapsed() < Duration::from_secs(30));
        let flushed = desk.stop(Duration::from_secs(1));
        assert!(
            flushed.in_time && flushed.dropped >= HOUR / 2,
            "{flushed:?}"
        );
    }
}

#[test]
fn a_collector_that_refuses_is_told_of_without_its_words() {
    let [http, grpc] = PROTOCOLS;
    for (protocol, status, says) in [
        (http, 400, "status 400"),
        (http, 503, "status 503"),
        (grpc, 3, "InvalidArgument"),
        (grpc, 14, "no time"),
    ] {
        let desk = desk(Collector::new(protocol, Behaviour::Refuses(status)));
        an_hour(&desk);
        let health = until(&desk, |health| health.failing.is_some());
        let why = health.failing.unwrap().why;
        assert!(why.contains(says) && !why.contains("SECRET"), "{why}");
        nothing_arrived(&desk);
    }
}

#[test]
fn what_a_collector_did_not_want_is_counted_as_dropped() {
    for protocol in PROTOCOLS {
        let desk = Desk::with(
            &Collector::new(protocol, Behaviour::Rejects(1)).into(),
            &json!({}),
        );
        desk.run("s", "ls", &Verdict::Allow);
        let flushed = desk.stop(Duration::from_secs(20));
        assert_eq!((flushed.in_time, flushed.dropped), (true, 1));
        assert_eq!(desk.collector.received().spans.len(), 3);
    }
}

#[test]
fn what_is_held_is_sent_at_the_end() {
    for protocol in PROTOCOLS {
        // Nothing is sent before that.
        let setup = Setup::from(Collector::new(protocol, Behaviour::Takes))
            .and("OTEL_BSP_SCHEDULE_DELAY", "600000");
        let desk = Desk::with(&setup, &json!({}));
        for number in 0..300 {
            desk.run(&format!("s{number}"), "ls", &Verdict::Allow);
        }
        let received = desk.finish();
        assert_eq!(received.named("countersign.tool").len(), 300);
        assert_eq!(received.spans.len(), 900);
    }
}

#[test]
fn what_is_on_its_way_when_the_export_ends_is_sent_once() {
    for protocol in PROTOCOLS {
        let setup = Setup::from(Collector::new(protocol, Behaviour::Waits))
            .and("OTEL_BSP_SCHEDULE_DELAY", "10")
            .and("OTEL_EXPORTER_OTLP_TIMEOUT", "60000");
        let desk = Desk::with(&setup, &json!({}));
        desk.run("s", "ls", &Verdict::Allow);
        let begun = Instant::now();
        while desk.collector.received().spans.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "nothing is sent");
            std::thread::sleep(Duration::from_millis(2));
        }
        let flushed = std::thread::scope(|threads| {
            let stops = threads.spawn(|| desk.stop(Duration::from_secs(60)));
            while desk.telemetry.health().is_some() {
                std::thread::sleep(Duration::from_millis(2));
            }
            desk.collector.lets_answer();
            stops.join().unwrap()
        });
        assert_eq!((flushed.in_time, flushed.dropped), (true, 0));
        assert_eq!(desk.collector.received().spans.len(), 3);
    }
}

#[test]
fn a_collector_that_comes_back_gets_what_was_held() {
    let desk = Desk::with(
        &Setup::from(Collector::new(PROTOCOLS[0], Behaviour::Takes))
            .and("OTEL_BSP_SCHEDULE_DELAY", "10"),
        &json!({}),
    );
    desk.run("s", "ls", &Verdict::Allow);
    let health = until(&desk, |health| health.exported == 3);
    assert_eq!((health.held, health.dropped, health.failing), (0, 0, None));
}

#[test]
fn nothing_is_told_after_the_export_ended_and_nothing_is_kept() {
    let desk = Desk::new(PROTOCOLS[0]);
    let outcome = desk.run("s", "ls", &Verdict::Allow).outcome;
    desk.stop(Duration::from_secs(20));
    desk.telemetry.decided(&outcome);
    assert_eq!(desk.telemetry.health(), None);
    assert_eq!(desk.collector.received().named("countersign.tool").len(), 1);
}

/// Waits until the export does as is looked for.
fn until(
    desk: &Desk,
    wanted: impl Fn(&countersign_telemetry::Health) -> bool,
) -> countersign_telemetry::Health {
    let before = Instant::now();
    loop {
        let health = desk.health();
        if wanted(&health) {
            return health;
        }
        assert!(before.elapsed() < Duration::from_secs(30), "{health:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
