//! Looks at every part of a program: what is not on the list is not proven.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprContext, Stmt};

use super::Act;
use super::names::{Binding, Named, Program, is_dunder};
use super::tables::{self, ATTRIBUTES, Member, NO_ARGUMENTS, TWO_ARGUMENTS};
use super::uses;
use super::values::{Value, Values};

/// The most things that a program may do with files.
const MOST_ACTS: usize = 200;

/// Functions that only print or compare what they are given.
const ONLY_SHOW: &[&str] = &[
    "print",
    "str",
    "repr",
    "format",
    "ascii",
    "isinstance",
    "issubclass",
];

/// What a program does with files.
pub(super) fn acts(program: &Program<'_>) -> Result<Vec<Act>, String> {
    let mut walk = Walk {
        program,
        values: Values::new(program),
        acts: Vec::new(),
        problem: None,
    };
    walk.visit_body(program.body);
    match walk.problem {
        Some(problem) => Err(problem),
        None => Ok(walk.acts),
    }
}

struct Walk<'p, 'a> {
    program: &'p Program<'a>,
    values: Values<'p, 'a>,
    acts: Vec<Act>,
    problem: Option<String>,
}

impl<'a> Walk<'_, 'a> {
    fn refuse(&mut self, problem: impl Into<String>) {
        self.problem.get_or_insert_with(|| problem.into());
    }

    /// An expression that is only shown: `type(x)` may stand here.
    fn shown(&mut self, expr: &'a Expr) {
        if let Some(inner) = only_type(expr) {
            self.visit_expr(inner);
        } else {
            self.visit_expr(expr);
        }
    }

    fn call(&mut self, call: &'a ruff_python_ast::ExprCall) {
        let arguments = &call.arguments;
        let named = match self.program.named(&call.func) {
            Ok(named) => named,
            Err(problem) => {
                self.refuse(problem);
                return;
            }
        };
        match named {
            Some(Named::Member(member)) => {
                if let Some(does) = member.does {
                    self.uses(does, member.name, None, arguments);
                    self.walks(member, arguments);
                }
                let shows = member.module.is_empty() && ONLY_SHOW.contains(&member.name);
                let asks =
                    member.module.is_empty() && matches!(member.name, "isinstance" | "issubclass");
                for arg in &arguments.args {
                    if asks && self.is_path_class(arg) {
                        continue;
                    }
                    if shows {
                        self.shown(arg)
                    } else {
                        self.visit_expr(arg)
                    }
                }
                for keyword in &arguments.keywords {
                    self.visit_expr(&keyword.value);
                }
                return;
            }
            Some(Named::Module(module)) => {
                self.refuse(format!("`{module}` is not known to be harmless"));
                return;
            }
            None => {}
        }
        if let Expr::Attribute(attribute) = &*call.func {
            self.method(attribute, arguments);
        } else if !is_input(&call.func) {
            self.visit_expr(&call.func);
        }
        self.visit_arguments(arguments);
    }

    fn method(
        &mut self,
        attribute: &'a ruff_python_ast::ExprAttribute,
        arguments: &'a ruff_python_ast::Arguments,
    ) {
        let name = attribute.attr.as_str();
        if name == "__init__" && is_super(&attribute.value) {
            return;
        }
        if let Some(does) = tables::path_method(name) {
            let receiver = self.values.of(&attribute.value);
            self.uses(does, name, Some(receiver), arguments);
            if name == "walk" {
                self.refuse("`walk` of a path is not followed");
            }
            self.visit_expr(&attribute.value);
            return;
        }
        if matches!(name, "cwd" | "home") && self.is_path_class(&attribute.value) {
            return;
        }
        if matches!(name, "format" | "format_map") && !self.is_plain_format(&attribute.value) {
            self.refuse("what is formatted is not known");
        }
        let no_stars = !arguments
            .args
            .iter()
            .any(|arg| matches!(arg, Expr::Starred(_)))
            && arguments
                .keywords
                .iter()
                .all(|keyword| keyword.arg.is_some());
        if TWO_ARGUMENTS.contains(name) {
            let by_name = arguments.keywords.iter().any(|keyword| {
                keyword
                    .arg
                    .as_ref()
                    .is_none_or(|arg| arg.as_str() == "target")
            });
            let several = arguments.args.len() > 1 || arguments.args.is_empty();
            if !no_stars || by_name || !several {
                self.refuse(format!("`{name}` with these arguments may move a file"));
            }
            self.visit_expr(&attribute.value);
            return;
        }
        if NO_ARGUMENTS.contains(name) {
            if !arguments.args.is_empty() || !arguments.keywords.is_empty() {
                self.refuse(format!("`{name}` with arguments may write a file"));
            }
            self.visit_expr(&attribute.value);
            return;
        }
        self.attribute(attribute);
    }

    /// An attribute of a value of the program's own.
    fn attribute(&mut self, attribute: &'a ruff_python_ast::ExprAttribute) {
        let name = attribute.attr.as_str();
        let is_name_of_type = matches!(name, "__name__" | "__qualname__");
        if is_name_of_type {
            self.shown(&attribute.value);
            return;
        }
        let is_known = ATTRIBUTES.contains(name) || self.program.attributes.contains(name);
        let has_meaning = tables::path_method(name).is_some()
            || matches!(name, "format" | "format_map") && !self.is_plain_format(&attribute.value)
            || TWO_ARGUMENTS.contains(name)
            || NO_ARGUMENTS.contains(name);
        if !is_known || has_meaning || is_dunder(name) {
            self.refuse(format!("`.{name}` is not known to be harmless"));
        }
        self.visit_expr(&attribute.value);
    }

    /// Whether a class of the program says itself what is equal, or in it.
    fn compares_itself(&self) -> bool {
        [
            "__eq__",
            "__ne__",
            "__lt__",
            "__le__",
            "__gt__",
            "__ge__",
            "__contains__",
            "__hash__",
        ]
        .iter()
        .any(|name| self.program.attributes.contains(name))
    }

    /// The class of paths is no value: its methods, called on it, take the path
    /// for an argument.
    fn is_path_class(&self, expr: &Expr) -> bool {
        matches!(
            self.program.named(expr),
            Ok(Some(Named::Member(member))) if member.module == "pathlib"
        )
    }

    /// A text that says how others are shown may name attributes.
    fn is_plain_format(&self, expr: &Expr) -> bool {
        match self.values.of(expr) {
            Value::Text(texts) => texts.iter().all(|text| !text.contains("__")),
            _ => false,
        }
    }

    fn uses(
        &mut self,
        does: tables::Use,
        name: &str,
        receiver: Option<Value>,
        arguments: &ruff_python_ast::Arguments,
    ) {
        match uses::acts(does, name, receiver, arguments, &self.values) {
            Ok(acts) => self.acts.extend(acts),
            Err(problem) => self.refuse(problem),
        }
        if self.acts.len() > MOST_ACTS {
            self.refuse("it works with too many files");
        }
    }

    /// The folders that `os.walk` gives say where it goes on: where the program
    /// may change them, it goes anywhere.
    fn walks(&mut self, member: Member, arguments: &ruff_python_ast::Arguments) {
        if (member.module, member.name) != ("os", "walk") {
            return;
        }
        if arguments.keywords.iter().any(|keyword| {
            keyword
                .arg
                .as_ref()
                .is_none_or(|arg| !matches!(arg.as_str(), "topdown"))
        }) || arguments.args.len() > 2
        {
            self.refuse("how `walk` goes on is not known");
        }
        let adds_names = |binding: &Binding<'_>| {
            matches!(self.values.binding(binding), Value::Name | Value::Nothing)
        };
        let keeps = !self.program.changes_lists_oddly && self.program.added.iter().all(adds_names);
        // What gives the folders a name that is never read changes nothing.
        let is_read = self.program.bindings.iter().any(|(name, bindings)| {
            let is_folders = |binding: &Binding<'_>| match binding {
                Binding::Part(whole, index) => *index == 1 && gives_walk(self.program, whole),
                // A whole triple, or a list of them.
                Binding::Is(expr) | Binding::Each(expr) => is_walk(self.program, expr),
                _ => false,
            };
            bindings.iter().any(is_folders)
                && self.program.reads.get(name).is_some_and(|reads| *reads > 0)
        });
        if !keeps && is_read {
            self.refuse("where `walk` goes on may be changed");
        }
    }
}

fn gives_walk(program: &Program<'_>, binding: &Binding<'_>) -> bool {
    match binding {
        Binding::Is(expr) | Binding::Each(expr) => is_walk(program, expr),
        Binding::Part(whole, _) => gives_walk(program, whole),
        Binding::Module(_) | Binding::Member(_) | Binding::Unknown => false,
    }
}

/// Whether an expression may hold what `os.walk` gives: not where it holds no
/// call and no name.
fn is_walk(program: &Program<'_>, expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => {
            let is_it = matches!(
                program.named(&call.func),
                Ok(Some(Named::Member(member))) if member.does == Some(tables::Use::ListTree)
            );
            is_it || call.arguments.args.iter().any(|arg| is_walk(program, arg))
        }
        _ => false,
    }
}

/// `x` of `type(x)`.
fn only_type(expr: &Expr) -> Option<&Expr> {
    let Expr::Call(call) = expr else { return None };
    let Expr::Name(name) = &*call.func else {
        return None;
    };
    let [inner] = &*call.arguments.args else {
        return None;
    };
    let is_type = name.id.as_str() == "type" && call.arguments.keywords.is_empty();
    (is_type && !matches!(inner, Expr::Starred(_))).then_some(inner)
}

fn is_super(expr: &Expr) -> bool {
    let Expr::Call(call) = expr else { return false };
    matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "super")
        && call.arguments.args.is_empty()
}

/// Whether it may be handed around.
fn is_value(member: Member) -> bool {
    member.does.is_none() && member.module != "pathlib"
}

fn is_input(expr: &Expr) -> bool {
    matches!(expr, Expr::Name(name) if name.id.as_str() == "input")
}

impl<'a> Visitor<'a> for Walk<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if self.problem.is_some() {
            return;
        }
        match stmt {
            Stmt::Match(_) | Stmt::TypeAlias(_) | Stmt::IpyEscapeCommand(_) => {
                self.refuse("it holds a statement that is not understood");
            }
            Stmt::FunctionDef(function) if function.type_params.is_some() || function.is_async => {
                self.refuse("it holds a function that is not understood");
            }
            Stmt::ClassDef(class) => {
                let keywords = class
                    .arguments
                    .as_ref()
                    .is_some_and(|all| !all.keywords.is_empty());
                if keywords || class.type_params.is_some() || self.program.has_archives {
                    self.refuse("it makes a class in a way that is not understood");
                }
            }
            Stmt::Import(_) | Stmt::ImportFrom(_) => return,
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if self.problem.is_some() {
            return;
        }
        match expr {
            Expr::Call(call) => self.call(call),
            Expr::Name(name) => {
                if name.ctx != ExprContext::Load {
                    return;
                }
                match self.program.named(expr) {
                    Ok(None) if name.id.as_str() == "input" => {
                        if self.program.bindings.contains_key("input") {
                            return;
                        }
                        self.refuse("`input` is handed around");
                    }
                    Ok(None) => {}
                    Ok(Some(Named::Member(member))) if is_value(member) => {}
                    Ok(Some(_)) => self.refuse(format!("`{}` is handed around", name.id)),
                    Err(problem) => self.refuse(problem),
                }
            }
            Expr::Attribute(attribute) => {
                match self.program.named(expr) {
                    Ok(None) => {}
                    Ok(Some(Named::Member(member)))
                        if is_value(member) && attribute.ctx == ExprContext::Load =>
                    {
                        return;
                    }
                    Ok(Some(_)) => {
                        self.refuse(format!("`{}` is handed around", attribute.attr));
                        return;
                    }
                    Err(problem) => {
                        self.refuse(problem);
                        return;
                    }
                }
                if attribute.ctx == ExprContext::Load {
                    self.attribute(attribute);
                    return;
                }
                if self.program.has_archives || is_dunder(attribute.attr.as_str()) {
                    self.refuse(format!("it changes `.{}`", attribute.attr));
                }
                self.visit_expr(&attribute.value);
            }
            // A comparison of the program's own is handed what it compares.
            Expr::Compare(compare) if !self.compares_itself() => {
                self.shown(&compare.left);
                for one in &compare.comparators {
                    self.shown(one);
                }
            }
            Expr::TString(_) | Expr::IpyEscapeCommand(_) | Expr::Await(_) => {
                self.refuse("it holds an expression that is not understood");
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_annotation(&mut self, expr: &'a Expr) {
        if self.is_path_class(expr) {
            return;
        }
        if let Expr::Subscript(subscript) = expr
            && let Ok(Some(Named::Member(of))) = self.program.named(&subscript.value)
            && matches!(of.module, "" | "typing")
            && self.is_path_class(&subscript.slice)
        {
            return;
        }
        self.visit_expr(expr);
    }

    fn visit_interpolated_string_element(
        &mut self,
        element: &'a ruff_python_ast::InterpolatedStringElement,
    ) {
        if let ruff_python_ast::InterpolatedStringElement::Interpolation(one) = element
            && let Some(inner) = only_type(&one.expression)
        {
            self.visit_expr(inner);
            for part in one.format_spec.iter().flat_map(|spec| &spec.elements) {
                self.visit_interpolated_string_element(part);
            }
            return;
        }
        visitor::walk_interpolated_string_element(self, element);
    }
}
