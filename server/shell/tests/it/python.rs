//! Python that stands in a command is contained if all that it uses is known.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use toml::{Table, Value};

use crate::workspace::{is_contained, judged};

fn programs(key: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/python_programs.toml");
    let table: Table = fs::read_to_string(file).unwrap().parse().unwrap();
    let programs = table.get(key).and_then(Value::as_array).unwrap();
    programs
        .iter()
        .map(|program| program.as_str().unwrap().to_owned())
        .collect()
}

/// The program in a word.
fn in_word(program: &str) -> String {
    format!("python3 -c '{}'", program.replace('\'', "'\\''"))
}

/// The program on standard input.
fn as_input(program: &str) -> String {
    format!("python3 - <<'END_OF_PROGRAM'\n{program}\nEND_OF_PROGRAM")
}

#[test]
fn what_agents_write_is_contained() {
    let mut wrong = Vec::new();
    for program in programs("contained") {
        for command in [in_word(&program), as_input(&program)] {
            if let Some(first) = judged(&command).because.first() {
                wrong.push(format!("{command}\n    {}", first.reason));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_an_attacker_writes_is_not_contained() {
    let mut wrong = Vec::new();
    for program in programs("not_contained") {
        for command in [in_word(&program), as_input(&program)] {
            if is_contained(&command) {
                wrong.push(command);
            }
        }
    }
    for program in programs("not_contained_as_input") {
        if is_contained(&as_input(&program)) {
            wrong.push(program);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_attack_stays_one_whatever_stands_around_it() {
    for attack in programs("not_contained") {
        for program in [
            format!("import json\n{attack}"),
            format!("{attack}\nprint('x')"),
            format!("\n\n{attack}\n"),
            format!(
                "try:\n    {}\nexcept Exception:\n    pass",
                attack.replace('\n', "\n    ")
            ),
            format!(
                "def inner():\n    {}\ninner()",
                attack.replace('\n', "\n    ")
            ),
        ] {
            assert!(!is_contained(&as_input(&program)), "{program}");
        }
    }
}

#[test]
fn a_program_that_also_writes_elsewhere_is_not_contained() {
    for program in programs("contained") {
        let more = format!("{program}\nopen('/etc/x', 'w').write('x')\n");
        assert!(!is_contained(&as_input(&more)), "{more}");
        let more = format!("{program}\nimport os\nos.system('x')\n");
        assert!(!is_contained(&as_input(&more)), "{more}");
    }
}

#[test]
fn what_lies_in_the_folder_may_not_stand_in_for_a_module() {
    for command in [
        "touch json.py && python3 -c 'import json'",
        "python3 -c 'import json'; touch json.py",
        "cp a.txt re.py; python3 -c 'print(1)'",
        "mkdir json && touch json/__init__.py && python3 -c 'print(1)'",
        "cp a _json.so && python3 -c 'print(1)'",
        "mv a types.pyc && python3 -c 'print(1)'",
        "python3 -c \"open('codecs.py', 'w').write('x')\"",
        "touch src/json.py && cd src && python3 -c 'print(1)'",
        "cd \"$X\" && python3 -c 'print(1)'",
        "git commit -am x && python3 -c 'print(1)'",
        "touch org.py && python3 -c 'print(1)'",
    ] {
        assert!(!is_contained(command), "{command}");
    }
    for command in [
        "touch new.py && python3 -c 'print(1)'",
        "touch src/json.py && python3 -c 'print(1)'",
        "cd src && python3 -c 'print(1)'",
        "echo x > new.txt; python3 -c 'print(1)'",
    ] {
        let because = judged(command).because;
        assert!(because.is_empty(), "{command}: {because:?}");
    }
}

#[test]
fn only_what_a_redirect_of_its_own_gives_is_the_program() {
    for command in [
        "{ head -c 5; python3 -; } <<'E'\nprint(1)\nE\n",
        "{ head -c 5; python3 - 3<<'F'\nx\nF\n} <<'E'\nprint(1)\nE\n",
        "(read x; python3) <<'E'\nprint(1)\nE\n",
        "while read x; do python3 -; done <<'E'\nprint(1)\nE\n",
        "python3 - <<'E' < a.txt\nprint(1)\nE\n",
        "python3 - <<E\nprint($X)\nE\n",
        "python3 - <<E\nprint($(cat a.txt))\nE\n",
        "xargs python3 - <<'E'\nprint(1)\nE\n",
        "sudo python3 - <<'E'\nprint(1)\nE\n",
        "env -i python3 - <<'E'\nprint(1)\nE\n",
        "python3 /dev/stdin <<'E'\nprint(1)\nE\n",
        "python3 x.py <<'E'\nprint(1)\nE\n",
        "python3 -c \"$X\" 'print(1)'",
        "python3 $X -c 'print(1)'",
        "python2 - <<'E'\nprint(1)\nE\n",
    ] {
        assert!(!is_contained(command), "{command}");
    }
    for command in [
        "python3 <<'E'\nprint(1)\nE\n",
        "python3 - x \"$Y\" <<E\nprint(1)\nE\n",
        "timeout 5 python3 - <<'E'\nprint(1)\nE\n",
        "python3 <<< 'print(1)'",
        "for x in 1 2; do python3 -c 'print(1)'; done",
        "python3 -c 'print(1)' \"$X\" 2>/dev/null | head -1 || echo none",
    ] {
        let because = judged(command).because;
        assert!(because.is_empty(), "{command}: {because:?}");
    }
}

#[test]
fn deep_and_long_programs_are_refused_and_crash_nothing() {
    let deep = [
        "(".repeat(3_000),
        format!("x = {}1{}", "(".repeat(3_000), ")".repeat(3_000)),
        format!("x = {}1{}", "[".repeat(2_000), "]".repeat(2_000)),
        format!("x = {}1", "-".repeat(20_000)),
        format!("x = {}1", "not ".repeat(7_000)),
        format!("x = {}1", "lambda: ".repeat(3_000)),
        format!("x = {}1", "lambda a, b: ".repeat(2_000)),
        format!("x{}", ".a".repeat(9_000)),
        format!("x{}", "()".repeat(9_000)),
        format!("x = 1{}", " + 1".repeat(6_000)),
        format!("x = 1{}", " ** 1".repeat(6_000)),
        format!("x = 1{}", " if 1 else 1".repeat(2_500)),
        format!("x = {}1{}", "{1: ".repeat(2_000), "}".repeat(2_000)),
        format!("x = {}1{}", "f'{".repeat(1_000), "}'".repeat(1_000)),
        (0..200)
            .map(|n| format!("{}if 1:\n", " ".repeat(n)))
            .collect(),
        "x = 1\n".repeat(10_000),
        "x = [".to_owned() + &"1, ".repeat(20_000) + "]",
        "'''".repeat(5_000),
    ];
    for program in deep {
        assert!(!is_contained(&as_input(&program)), "{}", &program[..20]);
    }
    let long = format!("x = [{}]\nprint(x)", "1, ".repeat(2_000));
    assert!(is_contained(&as_input(&long)));
}

/// Pieces of programs.
const PIECES: &[&str] = &[
    "import json",
    "import os",
    "\n",
    "\n    ",
    "def f(x):",
    "class A:",
    "print(",
    ")",
    "open('a.txt')",
    "open(x, 'w')",
    "x = ",
    "for x in ",
    "[",
    "]",
    "{",
    "}",
    ":",
    "'a'",
    "f'{x}'",
    "lambda x: x",
    "with ",
    " as x",
    "try:",
    "except:",
    "if x:",
    "else:",
    "os.path.join('a', x)",
    ".read()",
    ".append(x)",
    "+",
    ",",
    "return x",
    "yield",
    "x",
    "1",
    "\\",
    "\"\"\"",
    "#",
    "type(x)",
    "*",
    "**",
    "@",
    "del x",
    "global x",
    "é",
    "\t",
];

/// Names that no program may hold anywhere in its code.
const FORBIDDEN: &[&str] = &[
    "eval",
    "exec",
    "__import__",
    "getattr",
    "globals",
    "os.system",
    "subprocess",
    "socket",
    "compile",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_programs_crash_nothing_and_are_not_contained_with_a_forbidden_name(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..25),
        forbidden in proptest::sample::select(FORBIDDEN),
        at in 0_usize..25,
    ) {
        let mut program = pieces.concat();
        let _ = is_contained(&as_input(&program));
        let mut with = pieces.clone();
        with.insert(at.min(with.len()), forbidden);
        program = with.join(" ");
        // In a text or a comment it is none.
        if !program.contains(['#', '\'', '"']) {
            prop_assert!(!is_contained(&as_input(&program)), "{}", program);
        }
    }

    #[test]
    fn random_text_crashes_nothing(program in "\\PC{0,200}") {
        let _ = is_contained(&as_input(&program));
    }
}
