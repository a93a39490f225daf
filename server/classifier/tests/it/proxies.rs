//! A proxy is used where the settings name one, and the environment's only where
//! the process may believe its environment.

use std::process::{Command, Stdio};

use countersign_core::classify::Verdict;
use countersign_core::model::Provider;
use countersign_test_support::model_server::{ModelServer, Reply};

use crate::world::{models, models_with, prompt, settings, unavailable};

/// A host that no resolver knows: only a proxy can take a question there.
const NOWHERE: &str = "http://model.invalid/v1";

#[tokio::test]
async fn the_settings_proxy_takes_the_questions() {
    let proxy = ModelServer::start();
    proxy.always(Reply::allow());
    let mut settings = settings(Provider::OpenaiCompatible, &proxy);
    settings.base_url = NOWHERE.to_owned();
    settings.api_key_env = None;
    settings.proxy = Some(proxy.url());
    let answer = models().ask(&settings, &prompt()).await;
    assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
    let request = &proxy.requests()[0];
    assert_eq!(request.target, format!("{NOWHERE}/chat/completions"));
}

const TASK: &str = "COUNTERSIGN_CLASSIFIER_TEST_TASK";

/// Asks once without what the environment says of proxies, and once with it.
#[tokio::test]
async fn worker() {
    if std::env::var_os(TASK).is_none() {
        return; // Not started by the test below.
    }
    let nowhere = ModelServer::start();
    let mut settings = settings(Provider::OpenaiCompatible, &nowhere);
    settings.base_url = NOWHERE.to_owned();
    settings.api_key_env = None;
    // A resolver may take its time to know nothing.
    settings.stage1_ms = 1_000;
    let without = models_with(false).ask(&settings, &prompt()).await;
    assert!(unavailable(&without).is_some(), "{without:?}");
    settings.stage1_ms = 20_000;
    let with = models_with(true).ask(&settings, &prompt()).await;
    assert_eq!(with.verdict, Verdict::Allow, "{with:?}");
    println!("the task is done");
}

#[test]
fn the_environments_proxy_is_used_only_where_the_environment_counts() {
    let proxy = ModelServer::start();
    proxy.always(Reply::allow());
    let mut command = Command::new(std::env::current_exe().unwrap());
    for name in ["no_proxy", "NO_PROXY", "REQUEST_METHOD"] {
        command.env_remove(name);
    }
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, proxy.url());
    }
    let output = command
        .args(["--exact", "proxies::worker", "--nocapture", "--quiet"])
        .env(TASK, "")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let done = said.contains("the task is done");
    assert!(output.status.success() && done, "{output:?}");
    let targets: Vec<String> = proxy
        .requests()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert_eq!(targets, [format!("{NOWHERE}/chat/completions")]);
}
