//! What is wrong with the guard itself, as its editor is told of it.

use countersign_service::Component;
use serde_json::Value;

use super::world::{Setup, World};

#[test]
fn the_status_says_which_part_is_degraded_since_when_and_why() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let status = screen.request("countersign/status", Value::Null);
    assert_eq!(status["health"], "ok");
    assert!(status.get("degradedParts").is_none(), "{status}");

    world
        .service
        .degrade(Component::Export, "the collector is silent");
    let first = screen.status_when(|status| status["health"] == "warning");
    let part = first["degradedParts"][0].clone();
    assert_eq!(part["part"], "export");
    assert_eq!(part["why"], "the collector is silent");
    assert!(part["since"].as_i64().unwrap() > 0);
    assert_eq!(first["degraded"][0], "the collector is silent");

    // It fails again and again: since the first time.
    world
        .service
        .degrade(Component::Export, "the collector refuses");
    world.service.degrade(Component::Hooks, "a hook hangs");
    let again = screen.status_when(|status| status["degradedParts"][1].is_object());
    assert_eq!(again["degradedParts"][0]["part"], "hooks");
    assert_eq!(again["degradedParts"][1]["why"], "the collector refuses");
    assert_eq!(again["degradedParts"][1]["since"], part["since"]);

    world.service.well_again(Component::Export);
    world.service.well_again(Component::Hooks);
    screen.status_when(|status| status["health"] == "ok" && status.get("degradedParts").is_none());
}
