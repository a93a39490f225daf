use proptest::prelude::*;

use super::*;

/// Stands for the random part of a token; no scanner of repositories takes
/// these tests for a leak.
fn random(length: usize) -> String {
    "aB3dE6gH9".chars().cycle().take(length).collect()
}

fn secrets() -> Vec<String> {
    vec![
        format!("ghp_{}", random(36)),
        format!("github_pat_{}_{}", random(22), random(59)),
        format!("glpat-{}", random(20)),
        format!("xoxb-{}-{}", "123456789012", random(24)),
        format!("sk-{}", random(48)),
        format!("sk-ant-api03-{}-{}", random(40), random(30)),
        format!("AIza{}", random(35)),
        format!("AKIA{}", random(16).to_uppercase()),
        format!("eyJ{}.eyJ{}.{}", random(30), random(60), random(43)),
        format!("npm_{}", random(36)),
        format!("hf_{}", random(34)),
        format!(
            "-----BEGIN RSA PRIVATE KEY-----\n{}\n{}\n-----END RSA PRIVATE KEY-----",
            random(64),
            random(64)
        ),
    ]
}

#[track_caller]
fn masks(text: &str, expected: &str) {
    assert_eq!(mask(text), expected);
    assert_eq!(mask(expected), expected, "not idempotent");
}

#[test]
fn known_tokens_are_masked_anywhere() {
    for secret in secrets() {
        for (before, after) in [
            ("", ""),
            ("x ", " y"),
            ("'", "'"),
            ("\"\\n", "\\n\""),
            ("?a=", "&b=c"),
            ("ü", "ü"),
            ("q%3D", ""),
        ] {
            let text = format!("{before}{secret}{after}");
            let masked = mask(&text);
            assert!(!masked.contains(&secret), "{text} -> {masked}");
            assert!(
                masked.starts_with(before) && masked.ends_with(after),
                "{masked}"
            );
            assert!(masked.contains("[masked: "), "{masked}");
        }
    }
}

#[test]
fn the_kind_is_said() {
    masks(
        &format!("git push https://{}@github.com/x", secrets()[0]),
        "git push https://[masked: URL credentials]@github.com/x",
    );
    masks(
        &format!("echo {}", secrets()[0]),
        "echo [masked: GitHub token]",
    );
    masks(
        &format!("a {} b", secrets()[11]),
        "a [masked: private key] b",
    );
    masks(&format!("{}.foo", secrets()[8]), "[masked: JWT]");
}

#[test]
fn values_of_names_are_masked() {
    masks("PASSWORD=hunter2 make", "PASSWORD=[masked: password] make");
    masks(
        "export DB_PASS='a b' X=1",
        "export DB_PASS='[masked: password]' X=1",
    );
    masks(
        "mysql --password hunter2 -u root",
        "mysql --password [masked: password] -u root",
    );
    masks(
        "mysql --password=hunter2",
        "mysql --password=[masked: password]",
    );
    masks(
        "curl 'https://x.example/?token=abc&b=c'",
        "curl 'https://x.example/?token=[masked: token]&b=c'",
    );
    masks(
        "{\"apiKey\": \"abc\", \"b\": 1}",
        "{\"apiKey\": \"[masked: key]\", \"b\": 1}",
    );
    masks(
        "{\\\"client_secret\\\": \\\"a b\\\"}",
        "{\\\"client_secret\\\": \\\"[masked: secret]\\\"}",
    );
    masks(
        "aws_secret_access_key = wJalr/K7",
        "aws_secret_access_key = [masked: secret]",
    );
    masks("Uid=x;Pwd=y;", "Uid=x;Pwd=[masked: password];");
    masks(
        "os.environ['TOKEN'] = 'x'",
        "os.environ['TOKEN'] = '[masked: token]'",
    );
    masks("PASSWORD='a'\"b c\"d e", "PASSWORD=[masked: password] e");
    masks(
        "sh -c \"TOKEN=abc make\"",
        "sh -c \"TOKEN=[masked: token] make\"",
    );
    masks("sh -c \"TOKEN='abc'\"", "sh -c \"TOKEN='[masked: token]'\"");
    masks("a\\npassword: x\\n", "a\\npassword: [masked: password]");
    masks("PASSWORD='$ecret'", "PASSWORD='[masked: password]'");
    masks("AccountKey=abc==;x", "AccountKey=[masked: key];x");
}

#[test]
fn headers_are_masked() {
    masks(
        "curl -H 'Authorization: Bearer abc.def' x",
        "curl -H 'Authorization: Bearer [masked: credentials]' x",
    );
    masks(
        "Authorization: Basic YTpi",
        "Authorization: Basic [masked: credentials]",
    );
    masks("authorization: abc", "authorization: [masked: credentials]");
    masks(
        "{\"Authorization\":\"token abc\"}",
        "{\"Authorization\":\"token [masked: credentials]\"}",
    );
    masks("X-Api-Key: abc", "X-Api-Key: [masked: key]");
    masks(
        &format!("bearer {}", random(20)),
        "bearer [masked: credentials]",
    );
    masks(
        &format!("Basic {}==", random(20)),
        "Basic [masked: credentials]",
    );
}

#[test]
fn urls_lose_their_credentials() {
    masks(
        "psql postgres://bob:p%40ss@db/x",
        "psql postgres://[masked: URL credentials]@db/x",
    );
    masks("git clone ssh://git@host/x", "git clone ssh://git@host/x");
    masks(
        &format!("https://{}@host", random(20)),
        "https://[masked: URL credentials]@host",
    );
    masks("https://x-token:$TOKEN@host", "https://x-token:$TOKEN@host");
}

#[test]
fn long_random_values_of_keys_are_masked() {
    masks(
        &format!("cache_key={}", random(40)),
        "cache_key=[masked: key]",
    );
    masks("cache_key=linux-stable", "cache_key=linux-stable");
}

#[test]
fn ordinary_text_stays() {
    for text in [
        "",
        "git status --short",
        "git commit -m 'fix: token parser'",
        "git show 5d4918e2f0c1a3b4c5d6e7f8091a2b3c4d5e6f70",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "PWD=/home/x cargo test",
        "cat task-list-of-the-whole-project.md",
        "max_tokens=100 --token-file ./x --password-stdin",
        "use token::Token;",
        "password://x",
        "docker run -e TOKEN img",
        "TOKEN= make",
        "if (token == null) {}",
        "-----BEGIN CERTIFICATE-----",
        "übermäßig [masked: token] ok",
    ] {
        assert!(
            matches!(mask(text), Cow::Borrowed(same) if same == text),
            "{text} -> {}",
            mask(text)
        );
    }
}

#[test]
fn a_mask_hides_no_command() {
    for text in [
        "TOKEN=$(gh auth token) make",
        "TOKEN=\"$(gh auth token)\" make",
        "TOKEN=`gh auth token` make",
        "--password $PASS; touch x",
        "password=\"\";touch x",
    ] {
        assert_eq!(mask(text), text);
    }
    masks("TOKEN=x;touch y", "TOKEN=[masked: token];touch y");
    masks(
        "TOKEN=\"x$(touch y)\"",
        "TOKEN=\"[masked: token]$(touch y)\"",
    );
    masks(
        "echo -----BEGIN PRIVATE KEY-----;touch y",
        "echo [masked: private key];touch y",
    );
}

#[test]
fn a_false_mask_protects_nothing() {
    masks(
        "PASSWORD=[masked: password]hunter2",
        "PASSWORD=[masked: password]",
    );
}

#[test]
fn a_private_key_is_masked_to_its_end_behind_a_name() {
    let key = &secrets()[11];
    for text in [
        format!("SIGNING_KEY=\"{key}\" make"),
        format!("password={key} make"),
        format!("--token '{key}' make"),
        format!("{{\"secret\": \"{}\"}} make", key.replace('\n', "\\n")),
    ] {
        let masked = mask(&text);
        assert!(
            !masked.contains("aB3d") && masked.ends_with(" make"),
            "{masked}"
        );
        assert_eq!(mask(&masked), masked);
    }
}

/// Completes at all: every one of these would be quadratic if a part of the
/// text were looked at again for each of its beginnings.
#[test]
fn hostile_text_of_a_mebibyte_completes() {
    let patterns = [
        "a".to_owned(),
        "eyJ".to_owned(),
        "eyJa-".to_owned(),
        "eyJaaaaaaaaaa.".to_owned(),
        "sk-".to_owned(),
        "://".to_owned(),
        "a://b:c".to_owned(),
        "password=".to_owned(),
        "password='".to_owned(),
        "password=a'b\"c".to_owned(),
        "\"password\":\"".to_owned(),
        "--token ".to_owned(),
        "key=aaaaaaaaaaaaaaa-".to_owned(),
        "Authorization: Bearer ".to_owned(),
        "-----BEGIN PRIVATE KEY-----".to_owned(),
        "-----BEGIN ".to_owned(),
        "[masked: ".to_owned(),
        "[masked: token]".to_owned(),
        format!("{}-", secrets()[0]),
        format!("{}-", secrets()[7]),
        "\\".to_owned(),
        "ü".to_owned(),
    ];
    for pattern in patterns {
        let text = pattern.repeat((1 << 20) / pattern.len());
        let masked = mask(&text);
        assert!(!masked.is_empty());
    }
}

/// Text made of the pieces that the scanner looks at.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(secrets()),
        prop::sample::select(
            [
                "password",
                "PASSWORD",
                "token",
                "key",
                "Authorization",
                "bearer",
                "Basic",
                "--api-key",
                "=",
                ":",
                ": ",
                " = ",
                "\"",
                "'",
                "\\\"",
                "\\n",
                " ",
                "\n",
                "$",
                "$(",
                "`",
                ";",
                "&",
                ",",
                "}",
                "]",
                "[",
                "://",
                "@",
                "[masked: token]",
                "[masked: ",
                "-----BEGIN ",
                "PRIVATE KEY-----",
                "true",
                "x",
                "-",
                "--",
                ".",
                "_",
                "ü",
                "%3D",
                "AKIA",
                "eyJ",
                "sk-",
                "=>",
                "::",
                "\\"
            ]
            .map(str::to_owned)
            .to_vec()
        ),
        "[a-zA-Z0-9]{1,40}",
        "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn masking_twice_is_masking_once(text in pieces()) {
        let once = mask(&text).into_owned();
        prop_assert_eq!(mask(&once), once.as_str());
    }

    #[test]
    fn planted_secrets_never_survive(
        before in pieces(),
        secret in prop::sample::select(secrets()),
        gap in prop::sample::select(vec![" ", "\n", "=", "\"", "'", "(", "/", "?token=", "password=", "\\n"]),
        after in pieces(),
    ) {
        let text = format!("{before}{gap}{secret} {after}");
        let planted = text.matches(secret.as_str()).count();
        let masked = mask(&text);
        // Others of the same text may be in the middle of a word.
        prop_assert!(masked.matches(secret.as_str()).count() < planted, "{} -> {}", text, masked);
        let tail = format!("{gap}{secret} ");
        prop_assert!(!masked.contains(&tail), "{} -> {}", text, masked);
    }

    #[test]
    fn planted_passwords_never_survive(
        before in pieces(),
        name in prop::sample::select(vec!["PASSWORD=", "\"token\": \"", "api_key='", "--password ", "secret: "]),
    ) {
        const PASSWORD: &str = "Xq7Zw9Kp";
        let text = format!("{before}\n{name}{PASSWORD}\n");
        let masked = mask(&text);
        prop_assert!(!masked.contains(PASSWORD), "{} -> {}", text, masked);
    }
}
