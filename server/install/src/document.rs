//! A file of JSON that is changed in place: comments, order, line ends and a
//! byte order mark stay.

use camino::Utf8Path;
use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstObject, CstRootNode};
use serde_json::Value;

use crate::refused::Refused;

/// Deepest nesting that is read: far beyond any settings, and safe to walk.
const DEEPEST: usize = 200;

pub(crate) const MARK: char = '\u{feff}';

/// Comments and trailing commas, and nothing else that is not JSON.
fn options() -> ParseOptions {
    json_with(true, true)
}

/// JSON, perhaps with comments and trailing commas.
pub(crate) fn json_with(comments: bool, trailing_commas: bool) -> ParseOptions {
    ParseOptions {
        allow_comments: comments,
        allow_loose_object_property_names: false,
        allow_trailing_commas: trailing_commas,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// A document of JSON with an object as its root.
pub(crate) struct Document {
    has_mark: bool,
    // Nodes lose their way when the root is gone.
    tree: CstRootNode,
    pub(crate) root: CstObject,
}

impl Document {
    /// Opens the text of a file; nothing but white space is an empty object.
    pub(crate) fn open(path: &Utf8Path, text: &str) -> Result<Self, Refused> {
        // Also says where it is broken.
        value(path, text)?;
        let bare = text.strip_prefix(MARK).unwrap_or(text);
        let is_empty = bare.trim().is_empty();
        let broken = |problem: String| Refused::Shape {
            file: path.to_owned(),
            problem,
        };
        let tree = CstRootNode::parse(if is_empty { "{}\n" } else { bare }, &options())
            .map_err(|error| broken(error.to_string()))?;
        let root = tree.object_value_or_create().ok_or_else(|| {
            broken("it holds no object, so it cannot name a hook; mend it first".to_owned())
        })?;
        if let Some(name) = duplicate(&root) {
            return Err(broken(format!(
                "`{name}` stands there twice, and only one counts; take one out first"
            )));
        }
        Ok(Self {
            has_mark: text.starts_with(MARK),
            tree,
            root,
        })
    }

    /// Its text as it is now.
    pub(crate) fn text(&self) -> String {
        let text = self.tree.to_string();
        if self.has_mark {
            format!("{MARK}{text}")
        } else {
            text
        }
    }
}

/// What a text of JSON with comments says; nothing at all says an empty object.
pub(crate) fn value(path: &Utf8Path, text: &str) -> Result<Value, Refused> {
    let bare = text.strip_prefix(MARK).unwrap_or(text);
    if let Some((line, column)) = too_deep(bare) {
        return Err(Refused::Broken {
            file: path.to_owned(),
            line,
            column,
            problem: format!("it is nested more than {DEEPEST} deep"),
        });
    }
    let parsed: Result<Option<Value>, _> = jsonc_parser::parse_to_serde_value(bare, &options());
    match parsed {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Ok(Value::Object(serde_json::Map::new())),
        Err(error) => Err(Refused::Broken {
            file: path.to_owned(),
            line: error.line_display(),
            column: error.column_display(),
            problem: error.kind().to_string().to_lowercase(),
        }),
    }
}

/// Where a text is nested too deep; brackets in strings and comments count too,
/// because that is the safe side.
fn too_deep(text: &str) -> Option<(usize, usize)> {
    let (mut depth, mut line, mut column) = (0_usize, 1, 0);
    for c in text.chars() {
        column += 1;
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            '\n' => (line, column) = (line + 1, 0),
            _ => {}
        }
        if depth > DEEPEST {
            return Some((line, column));
        }
    }
    None
}

/// A key that stands twice in an object, also deeper: the change could go to
/// the one that does not count.
fn duplicate(object: &CstObject) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    for property in object.properties() {
        let name = property.decoded_name()?;
        if let Some(inner) = property.object_value()
            && let Some(name) = duplicate(&inner)
        {
            return Some(name);
        }
        if !seen.insert(name.clone()) {
            return Some(name);
        }
    }
    None
}
