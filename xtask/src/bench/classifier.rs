//! What the classifier adds to a model's own time: the bench of its crate
//! measures, because only that has a model server, and prints the figures.

use anyhow::{Context as _, Result, bail, ensure};

use super::figure::{Figure, Target};
use crate::repository;

/// The bench's figures.
pub(super) fn measure() -> Result<Vec<Figure>> {
    let printed = repository::output(
        "cargo",
        &[
            "bench",
            "--locked",
            "--package",
            "countersign-classifier",
            "--bench",
            "overhead",
        ],
    )?;
    let figures = read(&printed)?;
    ensure!(
        !figures.is_empty(),
        "the classifier's bench printed no figures"
    );
    Ok(figures)
}

/// The figures among the lines: `figure`, name, value, unit, most, what else is
/// told, with tabs between them.
fn read(printed: &str) -> Result<Vec<Figure>> {
    printed
        .lines()
        .filter_map(|line| line.strip_prefix("figure\t"))
        .map(|line| figure(line).with_context(|| format!("the figure `{line}`")))
        .collect()
}

fn figure(line: &str) -> Result<Figure> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, value, unit, most, besides] = fields.as_slice() else {
        bail!("has {} fields, not 5", fields.len());
    };
    let unit = match *unit {
        "" => "",
        "ms" => " ms",
        "MiB" => " MiB",
        other => bail!("the unit `{other}` is not known"),
    };
    let target = match *most {
        "" => Target::None,
        most => Target::AtMost(most.parse()?),
    };
    Ok(Figure {
        name: (*name).to_owned(),
        value: value.parse()?,
        unit,
        target,
        besides: (*besides).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_what_a_bench_prints() {
        let printed = "running\nfigure\tadded\t1.5\tms\t2\tp50 1 ms\nfigure\tcalls\t7\t\t\t\n";
        let figures = read(printed).unwrap();
        assert_eq!(figures.len(), 2);
        assert_eq!(figures[0].name, "added");
        assert!(matches!(figures[0].target, Target::AtMost(most) if most == 2.0));
        assert_eq!((figures[1].value, figures[1].unit), (7.0, ""));
        assert!(read("figure\tadded\tfast\tms\t2\t\n").is_err());
        assert!(read("figure\tadded\t1\tyears\t2\t\n").is_err());
    }
}
