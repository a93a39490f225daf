//! What the names of a program are bound to, all scopes together: where several
//! things have one name, it may be any of them.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Alias, Comprehension, ExceptHandler, Expr, ExprContext, Identifier, Parameters, Stmt,
    StmtFunctionDef,
};

use super::Dialect;
use super::tables::{self, BUILTINS, METHODS, Member, RESERVED};

/// What a name is bound to at one place.
#[derive(Debug, Clone)]
pub(super) enum Binding<'a> {
    /// The value of an expression.
    Is(&'a Expr),
    /// What an expression gives one after the other.
    Each(&'a Expr),
    /// The part of a binding with this number.
    Part(Box<Binding<'a>>, usize),
    /// A module.
    Module(String),
    /// A name out of a module.
    Member(Member),
    /// Not known.
    Unknown,
}

/// What an expression names, if that is no value of the program's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// A module.
    Module(String),
    /// A name out of a module, or one that is there without an import.
    Member(Member),
}

/// A program, and what its names mean.
pub(super) struct Program<'a> {
    pub(super) body: &'a [Stmt],
    pub(super) bindings: BTreeMap<&'a str, Vec<Binding<'a>>>,
    /// Attributes that the program gives to its own objects.
    pub(super) attributes: BTreeSet<&'a str>,
    /// What is put into lists and sets: whole, or one after the other.
    pub(super) added: Vec<Binding<'a>>,
    /// Whether lists are changed in a way that is not followed.
    pub(super) changes_lists_oddly: bool,
    /// How often each name is read.
    pub(super) reads: BTreeMap<&'a str, usize>,
    pub(super) dialect: Dialect,
    /// Whether archives are opened, whose objects are not to be changed.
    pub(super) has_archives: bool,
}

/// Names without an import that mean something of their own to the analysis.
const SPECIAL: &[&str] = &["open", "type", "super", "input"];

/// Methods that put what they are given into their object.
const PUTS: &[&str] = &["append", "add", "insert", "appendleft", "setdefault"];

/// Methods that put what an argument gives, one after the other.
const PUTS_EACH: &[&str] = &["extend", "update", "extendleft"];

/// Modules that change lists themselves.
const CHANGE_LISTS: &[&str] = &["heapq", "bisect"];

impl<'a> Program<'a> {
    pub(super) fn of(body: &'a [Stmt], dialect: Dialect) -> Result<Self, String> {
        let mut collector = Collector {
            program: Program {
                body,
                bindings: BTreeMap::new(),
                attributes: BTreeSet::new(),
                added: Vec::new(),
                changes_lists_oddly: false,
                reads: BTreeMap::new(),
                dialect,
                has_archives: false,
            },
            stored: BTreeMap::new(),
            explained: BTreeMap::new(),
            functions: Vec::new(),
            calls: BTreeMap::new(),
            in_class: false,
            problem: None,
        };
        collector.visit_body(body);
        collector.finish()
    }

    /// What an expression names; an error if it is a name of a module that is
    /// not known.
    pub(super) fn named(&self, expr: &Expr) -> Result<Option<Named>, String> {
        match expr {
            Expr::Name(name) => self.named_by(name.id.as_str()),
            Expr::Attribute(attribute) => {
                let Some(Named::Module(module)) = self.named(&attribute.value)? else {
                    return Ok(None);
                };
                let name = attribute.attr.as_str();
                let path = format!("{module}.{name}");
                if tables::module(&path).is_some() || tables::is_package(&path) {
                    return Ok(Some(Named::Module(path)));
                }
                let member = tables::module(&module).and_then(|module| module.member(name));
                match member {
                    Some(member) => Ok(Some(Named::Member(member))),
                    None => Err(format!("`{path}` is not known to be harmless")),
                }
            }
            _ => Ok(None),
        }
    }

    fn named_by(&self, name: &str) -> Result<Option<Named>, String> {
        let Some(bindings) = self.bindings.get(name) else {
            if name == "input" && self.dialect.is_three {
                return Ok(None);
            }
            return match BUILTINS.member(name) {
                Some(member) => Ok(Some(Named::Member(member))),
                None => Err(format!("`{name}` is not known to be harmless")),
            };
        };
        let mut found: Option<Option<Named>> = None;
        for binding in bindings {
            let named = match binding {
                Binding::Module(module) => Some(Named::Module(module.clone())),
                Binding::Member(member) => Some(Named::Member(*member)),
                _ => None,
            };
            match &found {
                None => found = Some(named),
                Some(known) if *known == named => {}
                Some(_) => return Err(format!("`{name}` means several things")),
            }
        }
        Ok(found.flatten())
    }
}

struct Collector<'a> {
    program: Program<'a>,
    /// How often each name is assigned, as the tree has it.
    stored: BTreeMap<&'a str, usize>,
    /// How often that was understood.
    explained: BTreeMap<&'a str, usize>,
    functions: Vec<&'a StmtFunctionDef>,
    /// The calls of each name.
    calls: BTreeMap<&'a str, Vec<&'a ruff_python_ast::Arguments>>,
    /// Whether the statements stand right in a class.
    in_class: bool,
    problem: Option<String>,
}

impl<'a> Collector<'a> {
    fn refuse(&mut self, problem: impl Into<String>) {
        self.problem.get_or_insert_with(|| problem.into());
    }

    fn bind(&mut self, name: &'a str, binding: Binding<'a>) {
        if is_dunder(name) || SPECIAL.contains(&name) {
            self.refuse(format!("it gives `{name}` another meaning"));
        }
        let bindings = self.program.bindings.entry(name).or_default();
        bindings.push(binding);
    }

    fn bind_identifier(&mut self, name: &'a Identifier, binding: Binding<'a>) {
        self.bind(name.as_str(), binding);
    }

    /// What is assigned to a target.
    fn bind_target(&mut self, target: &'a Expr, binding: Binding<'a>) {
        match target {
            Expr::Name(name) => {
                *self.explained.entry(name.id.as_str()).or_default() += 1;
                if self.in_class {
                    self.attribute(name.id.as_str());
                }
                self.bind(name.id.as_str(), binding);
            }
            Expr::Tuple(tuple) => self.bind_parts(&tuple.elts, &binding),
            Expr::List(list) => self.bind_parts(&list.elts, &binding),
            Expr::Starred(starred) => self.bind_target(&starred.value, Binding::Unknown),
            Expr::Attribute(attribute) => self.attribute(attribute.attr.as_str()),
            // It may be put into any list.
            Expr::Subscript(subscript) => {
                let binding = match (&*subscript.slice, binding) {
                    (Expr::Slice(_), Binding::Is(value)) => Binding::Each(value),
                    (Expr::Slice(_), _) => Binding::Unknown,
                    (_, binding) => binding,
                };
                self.program.added.push(binding);
            }
            _ => self.refuse("it assigns to something that is not understood"),
        }
    }

    fn bind_parts(&mut self, targets: &'a [Expr], binding: &Binding<'a>) {
        let is_starred = targets
            .iter()
            .any(|target| matches!(target, Expr::Starred(_)));
        for (index, target) in targets.iter().enumerate() {
            let part = if is_starred {
                Binding::Unknown
            } else {
                Binding::Part(Box::new(binding.clone()), index)
            };
            self.bind_target(target, part);
        }
    }

    fn attribute(&mut self, name: &'a str) {
        if RESERVED.contains(name) {
            self.refuse(format!(
                "it gives an object of its own the attribute `{name}`"
            ));
        }
        self.program.attributes.insert(name);
    }

    fn parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter_non_variadic_params() {
            self.bind_identifier(&parameter.parameter.name, Binding::Unknown);
        }
        for parameter in [&parameters.vararg, &parameters.kwarg]
            .into_iter()
            .flatten()
        {
            self.bind_identifier(&parameter.name, Binding::Unknown);
        }
    }

    fn import(&mut self, alias: &'a Alias) {
        let name = alias.name.as_str();
        if tables::module(name).is_none() {
            self.refuse(format!("the module `{name}` is not known to be harmless"));
            return;
        }
        self.program.has_archives |= matches!(name, "zipfile" | "tarfile");
        self.program.changes_lists_oddly |= CHANGE_LISTS.contains(&name);
        match &alias.asname {
            Some(other) => self.bind_identifier(other, Binding::Module(name.to_owned())),
            None => {
                let top = name.split('.').next().unwrap_or(name);
                self.bind(top, Binding::Module(top.to_owned()));
            }
        }
    }

    fn import_from(&mut self, from: &'a ruff_python_ast::StmtImportFrom) {
        let name = from.module.as_ref().map_or("", Identifier::as_str);
        let Some(module) = tables::module(name).filter(|_| from.level == 0) else {
            self.refuse(format!("the module `{name}` is not known to be harmless"));
            return;
        };
        self.program.has_archives |= matches!(name, "zipfile" | "tarfile");
        self.program.changes_lists_oddly |= CHANGE_LISTS.contains(&name);
        for alias in &from.names {
            let member = alias.name.as_str();
            let path = format!("{name}.{member}");
            let binding = if tables::module(&path).is_some() {
                Binding::Module(path)
            } else if let Some(member) = module.member(member) {
                Binding::Member(member)
            } else {
                self.refuse(format!("`{path}` is not known to be harmless"));
                return;
            };
            self.bind_identifier(alias.asname.as_ref().unwrap_or(&alias.name), binding);
        }
    }

    fn function(&mut self, function: &'a StmtFunctionDef, stmt: &'a Stmt) {
        let name = function.name.as_str();
        let in_class = std::mem::replace(&mut self.in_class, false);
        if in_class {
            self.attribute(name);
            if is_dunder(name) && !METHODS.contains(name) {
                self.refuse(format!("it has a method `{name}`"));
            }
        }
        if !in_class || !(is_dunder(name) || SPECIAL.contains(&name)) {
            self.bind(name, Binding::Unknown);
        }
        if in_class || !function.decorator_list.is_empty() {
            self.parameters(&function.parameters);
        } else {
            self.functions.push(function);
        }
        visitor::walk_stmt(self, stmt);
        self.in_class = in_class;
    }

    /// Parameters of functions that are only called where they are named mean
    /// what those calls give them.
    fn finish(mut self) -> Result<Program<'a>, String> {
        for function in std::mem::take(&mut self.functions) {
            let name = function.name.as_str();
            let calls = self.calls.get(name).cloned().unwrap_or_default();
            let is_only = self
                .program
                .bindings
                .get(name)
                .is_some_and(|all| all.len() == 1);
            let reads = self.program.reads.get(name).copied().unwrap_or_default();
            let is_plain = function.parameters.vararg.is_none()
                && function.parameters.kwarg.is_none()
                && function.parameters.posonlyargs.is_empty();
            if !is_only
                || reads != calls.len()
                || !is_plain
                || calls.iter().any(|call| spreads(call))
            {
                self.parameters(&function.parameters);
                continue;
            }
            let positional = function.parameters.args.len();
            for (index, parameter) in function.parameters.iter_non_variadic_params().enumerate() {
                let name = parameter.parameter.name.as_str();
                for call in &calls {
                    let by_name = call.keywords.iter().find(|keyword| {
                        keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == name)
                    });
                    let given = by_name
                        .map(|keyword| &keyword.value)
                        .or_else(|| call.args.get(index).filter(|_| index < positional));
                    if let Some(given) = given {
                        self.bind(name, Binding::Is(given));
                    }
                }
                if let Some(default) = &parameter.default {
                    self.bind(name, Binding::Is(default));
                }
                // Never called: still a name of the program's own.
                if !self.program.bindings.contains_key(name) {
                    self.bind(name, Binding::Unknown);
                }
            }
        }
        for (name, count) in &self.stored {
            if self.explained.get(name) != Some(count) {
                let bindings = self.program.bindings.entry(name).or_default();
                bindings.push(Binding::Unknown);
            }
        }
        match self.problem {
            Some(problem) => Err(problem),
            None => Ok(self.program),
        }
    }
}

fn spreads(call: &ruff_python_ast::Arguments) -> bool {
    call.args.iter().any(|arg| matches!(arg, Expr::Starred(_)))
        || call.keywords.iter().any(|keyword| keyword.arg.is_none())
}

pub(super) fn is_dunder(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}

impl<'a> Visitor<'a> for Collector<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                self.function(function, stmt);
                return;
            }
            Stmt::ClassDef(class) => {
                if self.in_class {
                    self.attribute(class.name.as_str());
                }
                self.bind_identifier(&class.name, Binding::Unknown);
                let in_class = std::mem::replace(&mut self.in_class, true);
                visitor::walk_stmt(self, stmt);
                self.in_class = in_class;
                return;
            }
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    self.bind_target(target, Binding::Is(&assign.value));
                }
            }
            Stmt::AnnAssign(assign) => {
                let binding = assign
                    .value
                    .as_ref()
                    .map_or(Binding::Unknown, |value| Binding::Is(value));
                self.bind_target(&assign.target, binding);
            }
            Stmt::AugAssign(assign) => {
                self.bind_target(&assign.target, Binding::Unknown);
                self.program.added.push(Binding::Unknown);
            }
            Stmt::For(each) => self.bind_target(&each.target, Binding::Each(&each.iter)),
            Stmt::With(with) => {
                for target in with
                    .items
                    .iter()
                    .filter_map(|item| item.optional_vars.as_ref())
                {
                    self.bind_target(target, Binding::Unknown);
                }
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.import(alias);
                }
                return;
            }
            Stmt::ImportFrom(from) => {
                self.import_from(from);
                return;
            }
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => match name.ctx {
                ExprContext::Store => *self.stored.entry(name.id.as_str()).or_default() += 1,
                _ => *self.program.reads.entry(name.id.as_str()).or_default() += 1,
            },
            Expr::Named(named) => self.bind_target(&named.target, Binding::Is(&named.value)),
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.parameters(parameters);
                }
            }
            Expr::Call(call) => {
                if let Expr::Name(name) = &*call.func {
                    let calls = self.calls.entry(name.id.as_str()).or_default();
                    calls.push(&call.arguments);
                }
                self.call(call);
                if let Expr::Attribute(attribute) = &*call.func {
                    // The method itself is called here, and nowhere else.
                    self.visit_expr(&attribute.value);
                    self.visit_arguments(&call.arguments);
                    return;
                }
            }
            Expr::Attribute(attribute) if attribute.ctx == ExprContext::Load => {
                let name = attribute.attr.as_str();
                self.program.changes_lists_oddly |=
                    PUTS.contains(&name) || PUTS_EACH.contains(&name);
            }
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_comprehension(&mut self, comprehension: &'a Comprehension) {
        self.bind_target(&comprehension.target, Binding::Each(&comprehension.iter));
        visitor::walk_comprehension(self, comprehension);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(one) = handler;
        if let Some(name) = &one.name {
            self.bind_identifier(name, Binding::Unknown);
        }
        visitor::walk_except_handler(self, handler);
    }
}

impl<'a> Collector<'a> {
    /// What a call puts into lists, and which attributes it makes.
    fn call(&mut self, call: &'a ruff_python_ast::ExprCall) {
        let name = match &*call.func {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            Expr::Name(name) => name.id.as_str(),
            _ => return,
        };
        let puts = PUTS.contains(&name);
        if matches!(*call.func, Expr::Attribute(_)) && (puts || PUTS_EACH.contains(&name)) {
            if spreads(&call.arguments) {
                self.program.added.push(Binding::Unknown);
            }
            for arg in &call.arguments.args {
                let binding = if puts {
                    Binding::Is(arg)
                } else {
                    Binding::Each(arg)
                };
                self.program.added.push(binding);
            }
        }
        if matches!(name, "namedtuple" | "NamedTuple" | "SimpleNamespace") {
            for keyword in &call.arguments.keywords {
                if let Some(arg) = &keyword.arg {
                    self.attribute(arg.as_str());
                }
            }
            for arg in call.arguments.args.iter().skip(1) {
                self.fields(arg);
            }
        }
    }

    /// The names of fields, in texts.
    fn fields(&mut self, expr: &'a Expr) {
        match expr {
            Expr::StringLiteral(text) => {
                for part in &text.value {
                    for name in part.as_str().split([' ', ',', '\n', '\t']) {
                        if !name.is_empty() {
                            self.attribute(name);
                        }
                    }
                }
            }
            Expr::List(list) => list.elts.iter().for_each(|one| self.fields(one)),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|one| self.fields(one)),
            _ => {}
        }
    }
}
