//! Scores a corpus while the analysis is being built.
#![allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods
)]
use std::collections::BTreeMap;
use std::io::BufRead;

use camino::Utf8PathBuf;
use countersign_core::call::*;
use countersign_core::effect::Unproven;

fn main() {
    let mut args = std::env::args().skip(1);
    let workspace = Utf8PathBuf::from(args.next().unwrap());
    let places = countersign_settings::Places::for_user().unwrap();
    let host = countersign_engine::host::Host::new(Vec::new());
    let policy = countersign_engine::policy::policy(
        &countersign_settings::Effective::default(),
        &places,
        &countersign_engine::policy::Surroundings {
            workspaces: vec![workspace.clone()],
            ..Default::default()
        },
    );
    let mut stats: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    let mut times = Vec::new();
    let verbose = args.next();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let row: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = row["command"].as_str().unwrap();
        let count = row["count"].as_u64().unwrap_or(1);
        let source = row["source"].as_str().unwrap_or("?").to_owned();
        let set = row["set"].as_str().unwrap_or("?").to_owned();
        let started = std::time::Instant::now();
        let because: Vec<Unproven> = countersign_engine::probe(text, &workspace, &host, &policy);
        times.push(started.elapsed().as_micros() as u64);
        let entry = stats.entry((source, set.clone())).or_default();
        entry.1 += count;
        if because.is_empty() {
            entry.0 += count;
        }
        match verbose.as_deref() {
            Some("blocked") => {
                let started = std::time::Instant::now();
                if let Some(found) = countersign_engine::probe_blocked(text, &workspace, &host, &policy) {
                    *reasons.entry(format!("blocked, of which allowed: {}", because.is_empty())).or_default() += count;
                    println!("{}", serde_json::json!({"set": set, "count": count, "reason": found.reason, "guard": found.guard, "at": text.get(found.span), "command": text}));
                }
                times.push(started.elapsed().as_micros() as u64);
            }
            Some("why") => {
                if let Some(first) = because.first() {
                    *reasons
                        .entry(first.reason.chars().take(90).collect())
                        .or_default() += count;
                }
            }
            Some("allowed") if because.is_empty() => {
                println!("{}", serde_json::json!({"set": set, "command": text}))
            }
            Some("unproven") if !because.is_empty() => println!(
                "{}",
                serde_json::json!({"set": set, "count": count, "command": text, "why": because.iter().map(|b| &b.reason).take(3).collect::<Vec<_>>()})
            ),
            _ => {}
        }
    }
    times.sort_unstable();
    eprintln!(
        "p50 {} p99 {} max {}",
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        times[times.len() - 1]
    );
    for ((source, set), (allowed, all)) in &stats {
        eprintln!("{source:30} {set:3} {allowed}/{all}");
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    for (reason, n) in reasons.iter().take(150) {
        println!("{n:6} {reason}");
    }
}
