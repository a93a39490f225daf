//! The part `rust`. Everything is built with the versions in `Cargo.lock`.

use crate::lints;
use crate::repository::run;
use crate::test::Step;

pub(crate) const LINTS: Step = Step {
    name: "own lints",
    run: lints::run,
};

pub(crate) const STEPS: &[Step] = &[
    LINTS,
    Step {
        name: "formatting",
        run: || run("cargo", &["fmt", "--all", "--", "--check"]),
    },
    Step {
        name: "clippy",
        run: || {
            run(
                "cargo",
                &[
                    "clippy",
                    "--locked",
                    "--workspace",
                    "--all-targets",
                    // Only looked at: they need the agents to run.
                    "--features",
                    "countersign-e2e-agents/real-agents",
                    "--",
                    "-D",
                    "warnings",
                ],
            )
        },
    },
    Step {
        name: "tests",
        run: || {
            run(
                "cargo",
                &["test", "--locked", "--workspace", "--no-fail-fast"],
            )
        },
    },
];
