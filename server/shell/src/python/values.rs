//! What is known of values that may be paths.

use std::cell::{Cell, RefCell};

use ruff_python_ast::{Expr, ExprCall, InterpolatedStringElement, Number, Operator};

use super::names::{Binding, Named, Program};
use super::paths::{
    as_path, concatenated, folder_of, found, from_here, home, is_a_path, last, plain,
};

/// What is known of a value. Whether it is a text or a path object is not kept:
/// both mean the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing is ever there.
    Nothing,
    /// One of these texts. One that begins with [`HOME`] goes on in the home
    /// folder.
    Text(Vec<String>),
    /// A path at or below one of these.
    Below(Vec<String>),
    /// One name that a folder holds, without a slash.
    Name,
    /// A path that matches one of these patterns.
    Glob(Vec<String>),
    /// Several, each of which is that.
    Each(Box<Self>),
    /// A tuple.
    Parts(Vec<Self>),
    /// Not known.
    Other,
}

/// The mark of a text that begins in the home folder; no program may hold it.
pub(super) const HOME: char = '\0';

/// The mark of a text that begins with the absolute path of the folder that the
/// program runs in.
pub(super) const HERE: char = '\u{1}';

/// A text that nothing is to be made of.
pub(super) const NONE: &str = "\0\0";

/// The most texts that one value may be.
const MOST_TEXTS: usize = 16;

/// The longest text.
const LONGEST: usize = 1_024;

/// The most steps that are taken to find out values.
const MOST_STEPS: u32 = 3_000;

/// The deepest that names lead to others.
const DEEPEST: usize = 40;

/// Finds out values.
pub(super) struct Values<'p, 'a> {
    program: &'p Program<'a>,
    steps: Cell<u32>,
    /// The names that are being found out.
    active: RefCell<Vec<String>>,
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(vec![text.to_owned()])
    }

    /// One of the two.
    pub(super) fn or(self, other: Self) -> Self {
        let united = |mut all: Vec<String>, more: Vec<String>| {
            for one in more {
                if !all.contains(&one) {
                    all.push(one);
                }
            }
            all
        };
        match (self, other) {
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Text(all), Self::Text(more)) => {
                let all = united(all, more);
                if all.len() > MOST_TEXTS {
                    Self::Other
                } else {
                    Self::Text(all)
                }
            }
            (Self::Below(all), Self::Below(more)) => Self::Below(united(all, more)),
            (Self::Glob(all), Self::Glob(more)) => Self::Glob(united(all, more)),
            (Self::Name, Self::Name) => Self::Name,
            (Self::Each(one), Self::Each(other)) => Self::Each(Box::new(one.or(*other))),
            (Self::Parts(one), Self::Parts(other)) if one.len() == other.len() => Self::Parts(
                one.into_iter()
                    .zip(other)
                    .map(|(one, other)| one.or(other))
                    .collect(),
            ),
            _ => Self::Other,
        }
    }

    /// What it gives one after the other.
    fn element(self) -> Self {
        match self {
            Self::Each(value) => *value,
            Self::Parts(parts) => parts.into_iter().fold(Self::Nothing, Self::or),
            _ => Self::Other,
        }
    }

    fn part(self, index: usize) -> Self {
        match self {
            Self::Parts(parts) => parts.into_iter().nth(index).unwrap_or(Self::Other),
            Self::Each(value) => *value,
            _ => Self::Other,
        }
    }

    /// A path below this one.
    pub(super) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Text(bases), Self::Text(names)) => {
                let joined = bases.iter().flat_map(|base| {
                    names.iter().map(move |name| {
                        if name.starts_with(['/', HOME, HERE]) || base.is_empty() {
                            name.clone()
                        } else if base.ends_with('/') {
                            format!("{base}{name}")
                        } else {
                            format!("{base}/{name}")
                        }
                    })
                });
                limited(joined)
            }
            (Self::Text(bases) | Self::Below(bases), Self::Name) => Self::Below(bases),
            (Self::Name, Self::Name) => Self::Below(vec![".".to_owned()]),
            (Self::Below(bases), Self::Text(names)) if names.iter().all(|name| stays(name)) => {
                Self::Below(bases)
            }
            _ => Self::Other,
        }
    }

    /// The folder that it is in.
    fn parent(self) -> Self {
        match self {
            Self::Text(texts) => {
                limited(texts.iter().map(
                    |text| match text.trim_end_matches('/').rsplit_once('/') {
                        Some((_, "..")) | Some((_, ".")) => NONE.to_owned(),
                        Some(("", _)) => "/".to_owned(),
                        Some((parent, _)) => parent.to_owned(),
                        None if text.starts_with([HOME, HERE]) || text == ".." => NONE.to_owned(),
                        None => ".".to_owned(),
                    },
                ))
            }
            _ => Self::Other,
        }
    }
}

/// Whether a relative path does not lead up.
pub(super) fn stays(name: &str) -> bool {
    !name.starts_with(['/', HOME, HERE]) && !name.split('/').any(|part| part == "..")
}

pub(super) fn limited(texts: impl Iterator<Item = String>) -> Value {
    let mut all: Vec<String> = Vec::new();
    for text in texts {
        if all.len() >= MOST_TEXTS || text.len() > LONGEST || text.starts_with(NONE) {
            return Value::Other;
        }
        if !all.contains(&text) {
            all.push(text);
        }
    }
    Value::Text(all)
}

impl<'p, 'a> Values<'p, 'a> {
    pub(super) const fn new(program: &'p Program<'a>) -> Self {
        Self {
            program,
            steps: Cell::new(MOST_STEPS),
            active: RefCell::new(Vec::new()),
        }
    }

    /// What is known of an expression's value.
    pub(super) fn of(&self, expr: &Expr) -> Value {
        let Some(left) = self.steps.get().checked_sub(1) else {
            return Value::Other;
        };
        self.steps.set(left);
        match expr {
            Expr::StringLiteral(text) => {
                let text = text.value.to_str();
                if text.contains([HOME, HERE]) || text.len() > LONGEST {
                    Value::Other
                } else {
                    Value::text(text)
                }
            }
            Expr::FString(text) => self.f_string(text),
            Expr::Name(name) => self.name(name.id.as_str()),
            Expr::BinOp(operation) => {
                let both = || (self.of(&operation.left), self.of(&operation.right));
                match operation.op {
                    Operator::Add => {
                        let (left, right) = both();
                        concatenated(vec![left, right])
                    }
                    Operator::Div => {
                        let (left, right) = both();
                        as_path(left.join(right))
                    }
                    _ => Value::Other,
                }
            }
            Expr::Call(call) => self.call(call),
            Expr::Attribute(attribute) => match attribute.attr.as_str() {
                "parent" => self.of(&attribute.value).parent(),
                "name" => last(self.of(&attribute.value)),
                _ => Value::Other,
            },
            Expr::List(list) => self.elements(&list.elts),
            Expr::Set(set) => self.elements(&set.elts),
            Expr::Tuple(tuple) => {
                if tuple.elts.iter().any(|one| matches!(one, Expr::Starred(_))) {
                    return Value::Other;
                }
                Value::Parts(tuple.elts.iter().map(|one| self.of(one)).collect())
            }
            Expr::ListComp(made) => Value::Each(Box::new(self.of(&made.elt))),
            Expr::SetComp(made) => Value::Each(Box::new(self.of(&made.elt))),
            Expr::Generator(made) => Value::Each(Box::new(self.of(&made.elt))),
            Expr::If(choice) => self.of(&choice.body).or(self.of(&choice.orelse)),
            Expr::BoolOp(operation) => operation
                .values
                .iter()
                .fold(Value::Nothing, |all, one| all.or(self.of(one))),
            Expr::Named(named) => self.of(&named.value),
            Expr::Subscript(subscript) => match (self.of(&subscript.value), &*subscript.slice) {
                (Value::Each(value), Expr::Slice(_)) => Value::Each(value),
                (Value::Each(value), Expr::NumberLiteral(_) | Expr::UnaryOp(_)) => *value,
                (value @ Value::Parts(_), Expr::NumberLiteral(number)) => match &number.value {
                    Number::Int(index) => index
                        .as_u64()
                        .and_then(|index| usize::try_from(index).ok())
                        .map_or(Value::Other, |index| value.part(index)),
                    _ => Value::Other,
                },
                _ => Value::Other,
            },
            _ => Value::Other,
        }
    }

    fn elements(&self, elements: &[Expr]) -> Value {
        if elements.iter().any(|one| matches!(one, Expr::Starred(_))) {
            return Value::Other;
        }
        let all = elements
            .iter()
            .fold(Value::Nothing, |all, one| all.or(self.of(one)));
        Value::Each(Box::new(all))
    }

    fn name(&self, name: &str) -> Value {
        let Some(bindings) = self.program.bindings.get(name) else {
            return Value::Other;
        };
        {
            let mut active = self.active.borrow_mut();
            if active.len() >= DEEPEST || active.iter().any(|known| known == name) {
                return Value::Other;
            }
            active.push(name.to_owned());
        }
        let mut all = Value::Nothing;
        for binding in bindings {
            all = all.or(self.binding(binding));
            if all == Value::Other {
                break;
            }
        }
        // What has a name may have been changed.
        let all = self.changed(all);
        self.active.borrow_mut().pop();
        all
    }

    /// A value with what the program may have put into its lists.
    fn changed(&self, value: Value) -> Value {
        match value {
            Value::Each(_) if self.program.changes_lists_oddly => Value::Other,
            Value::Each(value) => {
                let inner = self.changed(*value);
                let added = self.program.added.iter();
                let all = added.fold(inner, |all, added| {
                    if all == Value::Other {
                        all
                    } else {
                        all.or(self.binding(added))
                    }
                });
                Value::Each(Box::new(all))
            }
            Value::Parts(parts) => {
                Value::Parts(parts.into_iter().map(|part| self.changed(part)).collect())
            }
            other => other,
        }
    }

    pub(super) fn binding(&self, binding: &Binding<'_>) -> Value {
        match binding {
            Binding::Is(value) => self.of(value),
            Binding::Each(value) => self.of(value).element(),
            Binding::Part(whole, index) => self.binding(whole).part(*index),
            Binding::Module(_) | Binding::Member(_) | Binding::Unknown => Value::Other,
        }
    }

    fn f_string(&self, text: &ruff_python_ast::ExprFString) -> Value {
        let mut parts = Vec::new();
        for part in &text.value {
            match part {
                ruff_python_ast::FStringPart::Literal(literal) => {
                    parts.push(Value::text(literal.as_str()));
                }
                ruff_python_ast::FStringPart::FString(inner) => {
                    for element in &inner.elements {
                        parts.push(match element {
                            InterpolatedStringElement::Literal(literal) => {
                                Value::text(&literal.value)
                            }
                            InterpolatedStringElement::Interpolation(one)
                                if one.format_spec.is_none()
                                    && one.debug_text.is_none()
                                    && one.conversion.is_none() =>
                            {
                                self.of(&one.expression)
                            }
                            InterpolatedStringElement::Interpolation(_) => Value::Other,
                        });
                    }
                }
            }
        }
        if parts.iter().any(
            |part| matches!(part, Value::Text(all) if all.iter().any(|one| one.contains([HOME, HERE]))),
        ) {
            return Value::Other;
        }
        concatenated(parts)
    }

    fn call(&self, call: &ExprCall) -> Value {
        let arguments = &call.arguments;
        if arguments
            .args
            .iter()
            .any(|arg| matches!(arg, Expr::Starred(_)))
        {
            return Value::Other;
        }
        let first = || {
            arguments
                .args
                .first()
                .map_or(Value::Other, |arg| self.of(arg))
        };
        let joined =
            |from: Value, args: &[Expr]| args.iter().fold(from, |all, arg| all.join(self.of(arg)));
        let Ok(named) = self.program.named(&call.func) else {
            return Value::Other;
        };
        let Some(named) = named else {
            let Expr::Attribute(attribute) = &*call.func else {
                return Value::Other;
            };
            let receiver = || self.of(&attribute.value);
            let no_keywords = arguments.keywords.is_empty();
            return match attribute.attr.as_str() {
                "joinpath" => as_path(joined(receiver(), &arguments.args)),
                "absolute" => from_here(receiver()),
                "expanduser" => home(receiver()),
                "iterdir" => Value::Each(Box::new(receiver().join(Value::Name))),
                "glob" | "rglob" if no_keywords => {
                    Value::Each(Box::new(found(receiver(), first(), true)))
                }
                "cwd" if self.is_path_class(&attribute.value) => Value::text("\u{1}"),
                "home" if self.is_path_class(&attribute.value) => Value::text("\0"),
                _ => Value::Other,
            };
        };
        let Named::Member(member) = named else {
            return Value::Other;
        };
        match (member.module, member.name) {
            ("os.path", "join") => joined(first(), arguments.args.get(1..).unwrap_or_default()),
            ("pathlib", "Path" | "PosixPath" | "PurePath" | "PurePosixPath") => {
                if arguments.args.is_empty() {
                    return Value::text(".");
                }
                as_path(joined(first(), arguments.args.get(1..).unwrap_or_default()))
            }
            ("", "str") | ("os", "fspath") => is_a_path(first()),
            ("os.path", "abspath") => from_here(first()),
            ("os.path", "normpath") => match as_path(first()) {
                Value::Text(all) if !all.iter().all(|one| plain(one)) => Value::Other,
                value => value,
            },
            ("os.path", "expanduser") => home(first()),
            ("os.path", "dirname") => folder_of(first()),
            ("os.path", "basename") => last(first()),
            ("os", "getcwd") => Value::text("\u{1}"),
            ("os", "listdir") => Value::Each(Box::new(Value::Name)),
            ("os", "walk") => {
                let below = match first() {
                    Value::Text(roots) | Value::Below(roots) => Value::Below(roots),
                    _ => Value::Other,
                };
                let names = || Value::Each(Box::new(Value::Name));
                Value::Each(Box::new(Value::Parts(vec![below, names(), names()])))
            }
            ("glob", "glob" | "iglob")
                if arguments.keywords.iter().all(|keyword| {
                    keyword
                        .arg
                        .as_ref()
                        .is_some_and(|arg| arg.as_str() == "recursive")
                }) =>
            {
                Value::Each(Box::new(found(Value::text(""), first(), false)))
            }
            ("", "sorted" | "list" | "tuple" | "set" | "frozenset" | "reversed" | "iter") => {
                match first() {
                    Value::Each(value) => Value::Each(value),
                    value @ Value::Parts(_) => Value::Each(Box::new(value.element())),
                    _ => Value::Other,
                }
            }
            ("", "enumerate") => {
                let parts = vec![Value::Other, first().element()];
                Value::Each(Box::new(Value::Parts(parts)))
            }
            ("", "zip") => {
                let parts = arguments.args.iter().map(|arg| self.of(arg).element());
                Value::Each(Box::new(Value::Parts(parts.collect())))
            }
            ("", "next" | "max" | "min") if arguments.args.len() == 1 => first().element(),
            _ => Value::Other,
        }
    }

    fn is_path_class(&self, expr: &Expr) -> bool {
        matches!(
            self.program.named(expr),
            Ok(Some(Named::Member(member))) if member.module == "pathlib"
        )
    }
}
