//! The golden files against the server itself, for what no type says.

use std::sync::Arc;

use camino::Utf8Path;
use countersign_core::state::ProcessId;
use countersign_engine::clock::SystemClock;
use countersign_engine::request::ServerId;
use countersign_lsp::protocol::requests;
use countersign_service::{Parts, Service};
use countersign_settings::Places;
use countersign_store::Store;
use countersign_test_support::lsp::Editor;
use serde_json::{Value, json};

use super::{constants_of_codes, golden};

/// An editor of a server over an empty folder.
fn editor(folder: &Utf8Path) -> Editor {
    let home = folder.join("home");
    let places = Places {
        system: folder.join("etc/settings.json"),
        config_dir: home.join("config"),
        state_dir: home.join("state"),
        runtime_dir: home.join("run"),
        home,
        relocated: true,
    };
    let store = Arc::new(Store::open(&places.state_dir).unwrap());
    let service = Service::new(Parts {
        engine: countersign_guard::engine(store.clone(), Vec::new()),
        journal: store.clone(),
        store,
        places,
        clock: Arc::new(SystemClock),
        classifier: None,
        server: ServerId {
            key: "server".to_owned(),
            process: ProcessId {
                pid: 1,
                start: 1,
                boot: "boot".to_owned(),
            },
        },
        mode: None,
        refusal: None,
    });
    let (mut editor, _) = Editor::of(|input, output| countersign_lsp::run(service, input, output));
    for method in [
        "countersign/status",
        "experimental/serverStatus",
        "client/registerCapability",
        "textDocument/publishDiagnostics",
        "window/logMessage",
    ] {
        editor.allow(method);
    }
    editor
}

/// The parameters of an `initialize` of a golden file, from no process and
/// about no folder of this machine.
fn initialize(name: &str) -> Value {
    let mut params = golden(name);
    params["processId"] = Value::Null;
    params
}

#[test]
fn the_server_answers_initialize_as_the_golden_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut editor = editor(Utf8Path::from_path(folder.path()).unwrap());
    let answer = editor.initialize_with(initialize("initialize/params.json"));
    let mut expected = golden("initialize/result.json");
    let version = json!(env!("CARGO_PKG_VERSION"));
    expected["serverInfo"]["version"] = version.clone();
    expected["capabilities"]["experimental"]["countersign"]["version"] = version;
    assert_eq!(answer, expected);
    editor.shut_down_and_exit();
}

#[test]
fn a_client_that_declares_nothing_may_look_and_not_act() {
    let folder = tempfile::tempdir().unwrap();
    let mut editor = editor(Utf8Path::from_path(folder.path()).unwrap());
    editor.initialize_with(initialize("initialize/params-plain.json"));
    let code = |name: &str| -> i64 {
        let codes = constants_of_codes();
        let code = codes.iter().find(|code| code.name == name).unwrap();
        code.value.replace('_', "").parse().unwrap()
    };
    for (method, file) in [
        (requests::SET_MODE, "countersign-setMode/params.json"),
        (
            requests::RESOLVE_APPROVAL,
            "countersign-resolveApproval/params.json",
        ),
        (requests::GRANT, "countersign-grant/params.json"),
        (
            requests::RESET_COUNTERS,
            "countersign-resetCounters/params.json",
        ),
        (requests::TRUST, "countersign-trust/params.json"),
        (
            requests::SET_BASELINE,
            "countersign-setBaseline/params.json",
        ),
        (requests::CONSENT, "countersign-consent/params.json"),
    ] {
        let params = golden(&format!("requests/{file}"));
        let refused = editor.try_request(method, params).unwrap_err();
        assert_eq!(refused.code, code("NOT_DECLARED"), "{method}");
        assert_eq!(
            refused.message,
            golden("errors/not-declared.json")["message"]
        );
    }
    let refused = editor.try_request(requests::PENDING_APPROVALS, Value::Null);
    assert_eq!(refused.unwrap_err().code, code("NOT_DECLARED"));
    for (method, params) in [
        (requests::STATUS, Value::Null),
        (requests::SESSIONS, Value::Null),
        (
            requests::JOURNAL,
            golden("requests/countersign-journal/params-minimal.json"),
        ),
    ] {
        editor.request(method, params);
    }
    let unknown = golden("requests/countersign-explain/params.json");
    let refused = editor.try_request(requests::EXPLAIN, unknown).unwrap_err();
    assert_eq!(refused.code, code("NOT_FOUND"));
    editor.shut_down_and_exit();
}

#[test]
fn a_client_that_declares_itself_may_act() {
    let folder = tempfile::tempdir().unwrap();
    let mut editor = editor(Utf8Path::from_path(folder.path()).unwrap());
    let declaration = golden("capabilities/client-minimal.json");
    editor.initialize(json!({ "experimental": { "countersign": declaration } }));
    assert_eq!(
        editor.request(requests::PENDING_APPROVALS, Value::Null),
        golden("requests/countersign-pendingApprovals/result-none.json")
    );
    assert_eq!(
        editor.request(
            requests::SET_MODE,
            golden("requests/countersign-setMode/params-minimal.json")
        ),
        golden("requests/countersign-setMode/result.json")
    );
    assert_eq!(
        editor.request(requests::SET_MODE, json!({ "mode": "yolo" }))["result"],
        "needsConfirmation"
    );
    editor.shut_down_and_exit();
}
