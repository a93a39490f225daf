//! Whatever a workspace says, it never makes anything looser.

use std::collections::BTreeSet;

use countersign_core::denials::DenialLimits;
use countersign_core::policy::{OnUnavailable, StaticAnalysis};
use countersign_core::rules::RuleList;
use countersign_settings::{
    DESCRIPTORS, Descriptor, EditorLayers, Effective, Fixed, Hints, Kind, Loader, RunEditedCode,
    TextRule,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sandbox::Sandbox;

fn set(list: &[String]) -> BTreeSet<&str> {
    list.iter().map(String::as_str).collect()
}

fn of(effective: &Effective, lists: &[RuleList]) -> BTreeSet<String> {
    effective
        .rules
        .iter()
        .filter(|(list, _, _)| lists.contains(list))
        .map(|(list, text, origin)| format!("{list:?} {:?} {text}", origin.reading))
        .collect()
}

fn openness(analysis: StaticAnalysis) -> u8 {
    match analysis {
        StaticAnalysis::Off => 0,
        StaticAnalysis::ReadOnly => 1,
        StaticAnalysis::Contained => 2,
    }
}

/// Why `new` allows something that `old` does not. Every field is named, so
/// that a new one must be thought about.
fn looser(new: &Effective, old: &Effective) -> Option<&'static str> {
    let Effective {
        workspace: _,
        trusted,
        rules: _,
        approval_mode: _,
        auto_acknowledged,
        limits:
            DenialLimits {
                consecutive_block,
                consecutive_unavailable,
                total,
            },
        hints: Hints {
            allow,
            soft_deny,
            hard_deny,
        },
        environment,
        protected_add,
        protected_remove,
        context_files,
        review_credential_reads,
        classify_all_shell,
        static_analysis,
        run_edited_code,
        on_unavailable,
        classifier,
        mcp_forwarding,
        hooks,
        disable_all_hooks,
        journal,
        telemetry,
        import,
        loosening: _,
        pending_consent: _,
        withdrawn: _,
        kept_tightening: _,
        problems: _,
        degraded,
    } = new;
    let restricting = [RuleList::Deny, RuleList::Ask];
    let checks = [
        ("trust", *trusted == old.trusted),
        (
            "allow rules",
            of(new, &[RuleList::Allow]).is_subset(&of(old, &[RuleList::Allow])),
        ),
        (
            "deny and ask rules",
            of(new, &restricting).is_superset(&of(old, &restricting)),
        ),
        ("telemetry", *telemetry == old.telemetry),
        ("mode", new.starting_mode() <= old.starting_mode()),
        (
            "acknowledgement",
            *auto_acknowledged == old.auto_acknowledged,
        ),
        (
            "limit of blocks",
            *consecutive_block <= old.limits.consecutive_block,
        ),
        (
            "limit of unavailable",
            *consecutive_unavailable <= old.limits.consecutive_unavailable,
        ),
        ("limit in total", *total <= old.limits.total),
        (
            "limits from 1",
            *consecutive_block > 0 && *consecutive_unavailable > 0 && *total > 0,
        ),
        ("allow hints", set(allow).is_subset(&set(&old.hints.allow))),
        (
            "soft denies",
            set(soft_deny).is_superset(&set(&old.hints.soft_deny)),
        ),
        (
            "hard denies",
            set(hard_deny).is_superset(&set(&old.hints.hard_deny)),
        ),
        (
            "environment",
            set(environment).is_subset(&set(&old.environment)),
        ),
        (
            "protected paths",
            set(protected_add).is_superset(&set(&old.protected_add)),
        ),
        (
            "unprotected paths",
            protected_remove == &old.protected_remove,
        ),
        (
            "context files",
            set(context_files).is_superset(&set(&old.context_files)),
        ),
        (
            "credential reads",
            *review_credential_reads || !old.review_credential_reads,
        ),
        ("all shell", *classify_all_shell || !old.classify_all_shell),
        (
            "static analysis",
            openness(*static_analysis) <= openness(old.static_analysis),
        ),
        (
            "edited code",
            *run_edited_code == RunEditedCode::Review
                || old.run_edited_code == RunEditedCode::Allow,
        ),
        (
            "unavailable",
            *on_unavailable == OnUnavailable::Block || old.on_unavailable == OnUnavailable::Ask,
        ),
        ("classifier", *classifier == old.classifier),
        ("forwarding", *mcp_forwarding == old.mcp_forwarding),
        ("what runs", *hooks == old.hooks),
        ("hooks", *disable_all_hooks == old.disable_all_hooks),
        ("journal", *journal == old.journal),
        ("imports", import == &old.import),
        ("degraded", degraded.is_some() || old.degraded.is_none()),
    ];
    checks
        .into_iter()
        .find_map(|(name, holds)| (!holds).then_some(name))
}

/// A text of that form.
fn text(rule: TextRule) -> &'static str {
    match rule {
        TextRule::BaseUrl => "https://models.example/v1",
        TextRule::Proxy => "socks5://proxy.example:1080",
        TextRule::Model => "mine",
        TextRule::VariableName => "MY_KEY",
        TextRule::CertificateFile => "~/ca.pem",
    }
}

/// Without a model the other settings of the classifier have no effect.
const MODEL: &str = r#"{"permissions": {"autoMode": {"classifier": {"model": "machine's"}}}}"#;

/// Values of every kind, good and bad, at both ends of what is valid.
fn values(setting: &Descriptor) -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!({}),
        json!([1]),
        json!("nonsense"),
        json!(-1),
    ];
    match setting.kind {
        Kind::Rules(_) => values.extend([json!(["Bash"]), json!([]), json!("Bash(ls)")]),
        Kind::Prose => values.extend([json!(["anything goes"]), json!([])]),
        Kind::Names => values.extend([json!([".git", "**"]), json!([])]),
        Kind::Words(words) => values.extend([json!(words), json!([])]),
        Kind::Hooks => values.extend([hooks("true"), json!([{}]), json!([])]),
        Kind::McpTools => values.extend([json!(["github", "mcp__a__b", "*"]), json!([])]),
        Kind::Choice(words) => values.extend(words.iter().map(|word| json!(word))),
        Kind::Text(rule) => values.extend([json!(text(rule)), json!("")]),
        Kind::Flag { .. } => values.extend([json!(true), json!(false)]),
        Kind::Count { least, most } => {
            values.extend([
                json!(least),
                json!(most),
                json!(0),
                json!(u64::MAX),
                json!(1.5),
            ]);
        }
    }
    values
}

/// A list of one hook.
fn hooks(command: &str) -> Value {
    json!([{ "hooks": [{ "type": "command", "command": command }] }])
}

/// The settings text in which only `setting` is named.
fn naming(setting: &Descriptor, value: Value) -> Value {
    setting
        .key
        .rsplit('.')
        .fold(value, |inner, name| json!({ name: inner }))
}

/// A value of the user that is not the default and can be told from it.
fn told_apart(setting: &Descriptor) -> Value {
    match (setting.kind, setting.default) {
        (Kind::Rules(_), _) => json!(["Bash(true)"]),
        (Kind::Prose | Kind::Names | Kind::McpTools, _) => json!(["mine"]),
        (Kind::Hooks, _) => hooks("mine"),
        (Kind::Text(rule), _) => json!(text(rule)),
        (Kind::Words(words), _) => json!(words),
        (Kind::Choice(words), default) => words
            .iter()
            .find(|word| Fixed::Choice(word) != default)
            .map(|word| json!(word))
            .unwrap(),
        (Kind::Flag { .. }, default) => json!(default != Fixed::Flag(true)),
        (Kind::Count { most, .. }, _) => json!(most),
    }
}

#[test]
fn for_every_setting_a_workspace_can_only_tighten() {
    let sandbox = Sandbox::new();
    sandbox.system(MODEL);
    let load = |workspace, trusted| {
        Loader::reading_only(sandbox.places.clone()).load(
            Some(&sandbox.workspace),
            &EditorLayers {
                workspace,
                trusted: Some(trusted),
                ..EditorLayers::default()
            },
        )
    };
    for setting in DESCRIPTORS {
        let mut of_user = vec![json!(null), told_apart(setting)];
        // Elsewhere the layers do not meet, and two values show it.
        if setting.in_workspaces() {
            of_user.extend(values(setting));
        }
        for users in of_user {
            sandbox.user(&naming(setting, users.clone()).to_string());
            for trusted in [false, true] {
                let before = load(None, trusted);
                for value in values(setting) {
                    let text = naming(setting, value);
                    let told = || format!("{text} over {users}, trusted: {trusted}");
                    let after = load(Some(text.clone()), trusted);
                    assert_eq!(looser(&after, &before), None, "editor, {}", told());
                    sandbox.workspace(&text.to_string());
                    let after = load(None, trusted);
                    assert_eq!(looser(&after, &before), None, "file, {}", told());
                    std::fs::remove_file(sandbox.workspace_file()).unwrap();
                }
            }
        }
    }
}

#[test]
fn every_setting_of_the_user_has_an_effect_that_a_workspace_could_not_have() {
    for setting in DESCRIPTORS {
        let sandbox = Sandbox::new();
        sandbox.trust();
        if !setting.key.ends_with(".classifier.model") {
            sandbox.system(MODEL);
        }
        let nothing = sandbox.load();
        sandbox.user(&naming(setting, told_apart(setting)).to_string());
        let user = sandbox.load();
        assert_eq!(user.problems, [], "{}", setting.key);
        let seen = looser(&user, &nothing).or_else(|| looser(&nothing, &user));
        assert!(seen.is_some(), "`looser` does not look at {}", setting.key);
    }
}

/// Settings made of known keys, near misses and values of any kind.
fn hostile() -> impl Strategy<Value = Value> {
    let entry = (0..DESCRIPTORS.len(), any::<prop::sample::Index>()).prop_map(|(at, index)| {
        let setting = &DESCRIPTORS[at];
        let values = values(setting);
        naming(setting, values[index.index(values.len())].clone())
    });
    prop::collection::vec(entry, 0..8).prop_map(|entries| {
        let mut all = json!({});
        for entry in entries {
            unite(&mut all, entry);
        }
        all
    })
}

fn unite(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                unite(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_workspace_makes_anything_looser(
        user in hostile(),
        file in prop_oneof![hostile().prop_map(|value| value.to_string()), "\\PC{0,40}"],
        editor in hostile(),
        claude in hostile(),
        qwen in hostile(),
        trusted: bool,
    ) {
        let sandbox = Sandbox::new();
        sandbox.system(
            r#"{"import": ["qwen", "claude"], "ui": {"autoModeAcknowledged": true},
                "permissions": {"autoMode": {"classifier": {"model": "machine's"}}}}"#,
        );
        sandbox.user(&user.to_string());
        let layers = |workspace| EditorLayers {
            workspace,
            trusted: Some(trusted),
            ..EditorLayers::default()
        };
        let before = sandbox.load_with(&layers(None));
        sandbox.workspace(&file);
        sandbox.in_workspace(".claude/settings.json", &claude.to_string());
        sandbox.in_workspace(".qwen/settings.json", &qwen.to_string());
        let after = sandbox.load_with(&layers(Some(editor)));
        prop_assert_eq!(looser(&after, &before), None);
        // And nothing that it said can be taken back silently.
        std::fs::remove_file(sandbox.workspace_file()).unwrap();
        let later = sandbox.load_with(&layers(None));
        prop_assert_eq!(looser(&later, &before), None);
        let restricting = [RuleList::Deny, RuleList::Ask];
        prop_assert!(of(&later, &restricting).is_superset(&of(&after, &restricting)));
    }
}
