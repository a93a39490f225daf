//! JSON with comments as a tree that keeps every place and every duplicate
//! key, because a rule must be shown with its line and a second `deny` must
//! not replace the first.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::problem::Position;

/// A value with its place; none in settings that an editor sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) position: Option<Position>,
}

/// A JSON value. Objects keep duplicates, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Flag(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) position: Option<Position>,
    pub(crate) node: Node,
}

/// Why a text is not JSON with comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) position: Option<Position>,
    pub(crate) message: String,
}

/// Comments and trailing commas, and nothing else that is not JSON.
pub(crate) fn parse_options() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: false,
        allow_trailing_commas: true,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// Without the byte order mark that some editors write.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

impl Node {
    /// Parses a text whose root must be an object. `None`: nothing but white
    /// space and comments.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, Malformed> {
        let text = without_mark(text);
        let parsed =
            parse_to_ast(text, &CollectOptions::default(), &parse_options()).map_err(|error| {
                Malformed {
                    position: Some(Position {
                        line: narrow(error.line_display()),
                        column: narrow(error.column_display()),
                    }),
                    message: lower_first(&error.kind().to_string()),
                }
            })?;
        let Some(root) = parsed.value else {
            return Ok(None);
        };
        let mut cursor = Cursor::new(text);
        let node = cursor.node(root);
        match node.value {
            Value::Object(_) => Ok(Some(node)),
            other => Err(Malformed {
                position: node.position,
                message: format!("expected an object, found {}", other.kind()),
            }),
        }
    }

    /// The tree of settings that have no text.
    pub(crate) fn from_json(value: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let value = match value {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Flag(*flag),
            Json::Number(number) => Value::Number(number.to_string()),
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Self::from_json).collect()),
            Json::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| Member {
                        name: name.clone(),
                        position: None,
                        node: Self::from_json(value),
                    })
                    .collect(),
            ),
        };
        Self {
            value,
            position: None,
        }
    }
}

impl Value {
    /// The kind, as messages name it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Turns offsets into places. Offsets are asked for in rising order, so that
/// one line of a mebibyte costs no more than many short ones.
struct Cursor<'t> {
    rest: std::iter::Peekable<std::str::CharIndices<'t>>,
    line: usize,
    column: usize,
}

impl<'t> Cursor<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            rest: text.char_indices().peekable(),
            line: 1,
            column: 1,
        }
    }

    fn at(&mut self, offset: usize) -> Position {
        while let Some((_, character)) = self.rest.next_if(|(at, _)| *at < offset) {
            let ends_line = match character {
                '\n' => true,
                '\r' => self.rest.peek().is_none_or(|(_, next)| *next != '\n'),
                _ => false,
            };
            if ends_line {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        Position {
            line: narrow(self.line),
            column: narrow(self.column),
        }
    }

    fn node(&mut self, value: ast::Value<'t>) -> Node {
        let position = Some(self.at(value.range().start));
        let value = match value {
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::BooleanLit(literal) => Value::Flag(literal.value),
            ast::Value::NumberLit(literal) => Value::Number(literal.value.to_owned()),
            ast::Value::StringLit(literal) => Value::Text(literal.value.into_owned()),
            ast::Value::Array(array) => Value::List(
                array
                    .elements
                    .into_iter()
                    .map(|item| self.node(item))
                    .collect(),
            ),
            ast::Value::Object(object) => Value::Object(
                object
                    .properties
                    .into_iter()
                    .map(|property| Member {
                        position: Some(self.at(property.range.start)),
                        name: property.name.into_string(),
                        node: self.node(property.value),
                    })
                    .collect(),
            ),
        };
        Node { value, position }
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member<'n>(node: &'n Node, name: &str) -> &'n Member {
        let Value::Object(members) = &node.value else {
            panic!("not an object");
        };
        members.iter().find(|member| member.name == name).unwrap()
    }

    #[test]
    fn comments_marks_and_line_ends_keep_places() {
        let text = "\u{feff}{ // first\r\n  /* é */ \"a\": [\"x\",\n \"y\",],\n}\n";
        let root = Node::parse(text).unwrap().unwrap();
        let list = member(&root, "a");
        assert_eq!(
            list.position,
            Some(Position {
                line: 2,
                column: 11
            })
        );
        let Value::List(items) = &list.node.value else {
            panic!("not a list");
        };
        assert_eq!(items[1].position, Some(Position { line: 3, column: 2 }));
    }

    #[test]
    fn a_broken_text_names_line_and_column() {
        let broken = Node::parse("{\n  \"a\": 1,\n  b: 2\n}").unwrap_err();
        assert_eq!(broken.position, Some(Position { line: 3, column: 3 }));
        assert!(Node::parse("{\"a\": 1 \"b\": 2}").is_err());
        assert!(Node::parse("{'a': 1}").is_err());
        assert!(Node::parse("[]").is_err());
        assert!(Node::parse(&"[".repeat(30_000)).is_err());
        assert_eq!(Node::parse(" // nothing\n").unwrap(), None);
    }

    #[test]
    fn duplicate_keys_are_kept() {
        let root = Node::parse(r#"{"a": 1, "a": 2}"#).unwrap().unwrap();
        let Value::Object(members) = root.value else {
            panic!("not an object");
        };
        assert_eq!(members.len(), 2);
    }
}
