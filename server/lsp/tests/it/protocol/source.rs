//! Reads `protocol.rs` as text: its messages with their comments, which no
//! compiled test sees. Understands what stands there today and fails on the
//! rest, and what it understood is held against serde by the golden files.

/// A constant with a text: a method or a command.
#[derive(Debug)]
pub(crate) struct Constant {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) doc: String,
}

impl Constant {
    /// `requests::SET_MODE`
    pub(crate) fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }
}

/// A type that is sent.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) shape: Shape,
}

#[derive(Debug)]
pub(crate) enum Shape {
    /// An object.
    Fields(Vec<Field>),
    /// A text out of a few, or, with a tag, an object that the tag names.
    Variants {
        tag: Option<String>,
        variants: Vec<Variant>,
    },
}

#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) wire: String,
    pub(crate) doc: String,
    pub(crate) fields: Vec<Field>,
    /// Whether leaving the field out means it.
    pub(crate) is_default: bool,
}

#[derive(Debug)]
pub(crate) struct Field {
    /// The name as it is sent.
    pub(crate) wire: String,
    pub(crate) doc: String,
    pub(crate) kind: Kind,
    /// Whether it may be left out.
    pub(crate) optional: bool,
    /// Whether its own fields stand in its place.
    pub(crate) flattened: bool,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
    Anything,
    List(Box<Kind>),
    Named(String),
}

impl Kind {
    fn of(text: &str) -> Self {
        let inner = |outer: &str| text.strip_prefix(outer)?.strip_suffix('>');
        if let Some(inner) = inner("Option<") {
            return Self::of(inner);
        }
        if let Some(inner) = inner("Vec<") {
            return Self::List(Box::new(Self::of(inner)));
        }
        match text {
            "String" => Self::Text,
            "bool" => Self::Flag,
            "u32" | "u64" | "usize" | "i64" => Self::Number,
            "Value" => Self::Anything,
            _ => {
                assert!(
                    text.chars().all(char::is_alphanumeric),
                    "the type `{text}` is not understood"
                );
                Self::Named(text.to_owned())
            }
        }
    }

    /// The type of ours in it, if there is one.
    pub(crate) fn named(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::List(inner) => inner.named(),
            Self::Text | Self::Number | Self::Flag | Self::Anything => None,
        }
    }
}

/// What stands before an item: its comments and what serde is told.
#[derive(Debug, Default)]
struct Before {
    doc: Vec<String>,
    serde: String,
    is_default: bool,
}

impl Before {
    fn doc(&self) -> String {
        self.doc.join(" ").trim().to_owned()
    }

    /// The value of `name = "value"` in what serde is told.
    fn value(&self, name: &str) -> Option<String> {
        let (_, rest) = self.serde.split_once(&format!("{name} = \""))?;
        Some(rest.split_once('"')?.0.to_owned())
    }

    fn says(&self, word: &str) -> bool {
        self.serde.split([',', '(', ')']).any(|one| {
            let name = one.trim().split(' ').next();
            name == Some(word)
        })
    }
}

/// A source file, line by line.
struct Lines<'t> {
    lines: std::iter::Peekable<std::str::Lines<'t>>,
}

impl Lines<'_> {
    /// The comments and attributes that come next, and the line after them;
    /// none at the end.
    fn item(&mut self) -> Option<(Before, String)> {
        let mut before = Before::default();
        loop {
            let line = self.lines.next()?.trim();
            if let Some(doc) = line.strip_prefix("///") {
                before.doc.push(doc.trim().to_owned());
            } else if line.starts_with("#[") {
                let mut attribute = line.to_owned();
                while !attribute.ends_with(']') {
                    attribute.push_str(self.lines.next()?.trim());
                }
                before.is_default |= attribute == "#[default]";
                if let Some(serde) = attribute.strip_prefix("#[serde") {
                    before.serde.push_str(serde);
                }
            } else if !line.is_empty() && !line.starts_with("//") {
                return Some((before, line.to_owned()));
            }
        }
    }

    /// The rest of a statement that began with this line.
    fn statement(&mut self, mut line: String) -> String {
        while !line.ends_with(';') {
            line.push(' ');
            line.push_str(self.lines.next().expect("a statement ends").trim());
        }
        line
    }
}

/// The constants in modules, in the order of the file. Those that hold no text
/// or number by themselves are left out.
pub(crate) fn constants(source: &str) -> Vec<Constant> {
    let mut lines = Lines {
        lines: source.lines().peekable(),
    };
    let mut module = None;
    let mut constants = Vec::new();
    while let Some((before, line)) = lines.item() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["pub" | "pub(crate)", "mod", name, "{"] => module = Some((*name).to_owned()),
            ["}"] => module = None,
            ["pub" | "pub(crate)", "const", ..] => {
                let Some(module) = &module else { continue };
                let statement = lines.statement(line.clone());
                let (name, rest) = statement.split_once(": ").expect("a constant has a type");
                let (kind, value) = rest.split_once(" = ").expect("a constant has a value");
                if kind == "&str" || kind == "i64" {
                    constants.push(Constant {
                        module: module.clone(),
                        name: name.rsplit(' ').next().unwrap_or_default().to_owned(),
                        value: value.trim_end_matches(';').trim_matches('"').to_owned(),
                        doc: before.doc(),
                    });
                }
            }
            _ => {}
        }
    }
    constants
}

/// The public types, in the order of the file.
pub(crate) fn types(source: &str) -> Vec<Type> {
    let mut lines = Lines {
        lines: source.lines().peekable(),
    };
    let mut types = Vec::new();
    while let Some((before, line)) = lines.item() {
        let words: Vec<&str> = line.split(' ').collect();
        let shape = match words.as_slice() {
            ["pub", "struct", _, "{"] => Shape::Fields(fields(&mut lines, &before)),
            ["pub", "enum", _, "{"] => Shape::Variants {
                tag: before.value("tag"),
                variants: variants(&mut lines, &before),
            },
            ["pub", "struct" | "enum" | "type", ..] => panic!("`{line}` is not understood"),
            _ => continue,
        };
        types.push(Type {
            name: words[2].to_owned(),
            doc: before.doc(),
            shape,
        });
    }
    types
}

fn fields(lines: &mut Lines<'_>, container: &Before) -> Vec<Field> {
    let mut fields = Vec::new();
    loop {
        let (before, line) = lines.item().expect("a type ends");
        if line.starts_with('}') {
            return fields;
        }
        let (name, kind) = line
            .trim_end_matches(',')
            .trim_start_matches("pub ")
            .split_once(": ")
            .unwrap_or_else(|| panic!("the field `{line}` is not understood"));
        assert!(!before.doc.is_empty(), "the field `{name}` says nothing");
        let optional = before.says("skip_serializing_if");
        let may_miss =
            before.says("default") || container.says("default") || kind.starts_with("Option<");
        assert_eq!(
            optional, may_miss,
            "`{name}`: what may be left out when it is read is left out when it is written"
        );
        fields.push(Field {
            wire: before.value("rename").unwrap_or_else(|| {
                match container.value("rename_all").as_deref() {
                    Some("camelCase") => camel_case(name),
                    other => panic!("fields renamed to {other:?} are not understood"),
                }
            }),
            doc: before.doc(),
            kind: Kind::of(kind),
            optional,
            flattened: before.says("flatten"),
        });
    }
}

fn variants(lines: &mut Lines<'_>, container: &Before) -> Vec<Variant> {
    // What a container renames are its variants; their fields name themselves.
    let verbatim = Before {
        serde: "(rename_all = \"camelCase\")".to_owned(),
        ..Before::default()
    };
    let mut variants = Vec::new();
    loop {
        let (before, line) = lines.item().expect("a type ends");
        if line.starts_with('}') {
            return variants;
        }
        let (name, fields) = match line.strip_suffix(" {") {
            Some(name) => (name, fields(lines, &verbatim)),
            None => (line.trim_end_matches(','), Vec::new()),
        };
        variants.push(Variant {
            wire: match container.value("rename_all").as_deref() {
                Some("camelCase") => lower_first(name),
                Some("snake_case") => snake_case(name),
                other => panic!("variants renamed to {other:?} are not understood"),
            },
            doc: before.doc(),
            fields,
            is_default: before.is_default,
        });
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        camel.push_str(&first.to_uppercase());
        camel.push_str(rest);
    }
    camel
}

fn lower_first(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_lowercase() + rest
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
