//! Redirects: what is opened, and what standard input becomes.

use brush_parser::ast::{IoFileRedirectTarget, IoRedirect, RedirectList};
use countersign_core::command::{
    Known, Redirect, RedirectKind, SimpleCommand, Stdin, Word, WordValue,
};

use super::{Context, Place, Walker};
use crate::state::{State, Value};

impl Walker {
    /// The context inside a compound command with these redirects, which are
    /// listed on their own too: it may run nothing.
    pub(super) fn redirected(
        &mut self,
        redirects: Option<&RedirectList>,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) -> Context {
        let Some(RedirectList(redirects)) = redirects else {
            return context.clone();
        };
        let mut inner = context.clone();
        let Some(index) = self.list_command(SimpleCommand {
            stdin: context.stdin,
            folder: state.folder().clone(),
            origin: context.origin,
            ..SimpleCommand::default()
        }) else {
            return inner;
        };
        let mut own = Vec::new();
        for redirect in redirects {
            own.extend(self.redirect(redirect, place, state, &mut inner));
        }
        if let Some(command) = self.commands.get_mut(index) {
            let start = own.iter().map(|redirect| redirect.span.start).min();
            let end = own.iter().map(|redirect| redirect.span.end).max();
            command.span = start.unwrap_or_default()..end.unwrap_or_default();
            command.redirects.clone_from(&own);
        }
        own.append(&mut inner.redirects);
        inner.redirects = own;
        inner
    }

    /// One redirect; what it does to standard input goes into `context`.
    pub(super) fn redirect(
        &mut self,
        redirect: &IoRedirect,
        place: &Place<'_>,
        state: &mut State,
        context: &mut Context,
    ) -> Option<Redirect> {
        let (descriptor, word) = match redirect {
            IoRedirect::File(descriptor, _, target) => match target {
                IoFileRedirectTarget::Filename(word) | IoFileRedirectTarget::Duplicate(word) => {
                    (*descriptor, word)
                }
                // `|&` stands for `2>&1 |`.
                IoFileRedirectTarget::Fd(_) => return None,
                IoFileRedirectTarget::ProcessSubstitution(..) => {
                    self.disagreement(place);
                    return None;
                }
            },
            IoRedirect::OutputAndError(word, _) => (None, word),
            // Never shown to the parser.
            IoRedirect::HereDocument(..) | IoRedirect::HereString(..) => {
                self.disagreement(place);
                return None;
            }
        };
        let found = place.lexeme(word).and_then(|lexeme| {
            let redirection = place.script.redirects.get(&lexeme.range.start)?;
            Some((lexeme, redirection))
        });
        let Some((lexeme, redirection)) = found else {
            self.disagreement(place);
            return None;
        };
        let source = &place.script.source;
        let span = place.span(redirection.at..lexeme.range.end);
        let reads = descriptor.is_none_or(|number| number == 0);
        let (kind, target) = match redirection.operator {
            "<<" | "<<-" => {
                let text = redirection.body.as_ref().and_then(|body| {
                    let text = self.quoted_text(&body.pieces, source, state, &context.clone())?;
                    Some(if body.strips_tabs {
                        without_tabs(&text)
                    } else {
                        text
                    })
                });
                stdin_of(context, reads, text);
                (RedirectKind::Here, None)
            }
            "<<<" => {
                let text = match self.single(lexeme, source, state, &context.clone()) {
                    Value::Text(text) => {
                        let head = lexeme.head.as_ref().map_or("", |head| head.text.as_str());
                        Some(format!("{head}{text}\n"))
                    }
                    _ => None,
                };
                stdin_of(context, reads, text);
                (RedirectKind::Here, None)
            }
            operator => {
                let inner = context.clone();
                let target = self.target(lexeme, place, state, &inner);
                let is_descriptor = target.literal().is_some_and(|text| {
                    !text.is_empty()
                        && text
                            .bytes()
                            .all(|byte| byte.is_ascii_digit() || byte == b'-')
                });
                let kind = match operator {
                    "<&" => RedirectKind::Descriptor,
                    ">&" if is_descriptor => RedirectKind::Descriptor,
                    "<" => RedirectKind::Read,
                    "<>" => RedirectKind::ReadWrite,
                    ">>" | "&>>" => RedirectKind::Append,
                    _ => RedirectKind::Write,
                };
                if operator.starts_with('<') {
                    stdin_of(context, reads, None);
                    let is_stream = matches!(
                        &target.value,
                        WordValue::Dynamic {
                            known: Known::Stream,
                            ..
                        }
                    );
                    if reads && is_stream {
                        context.found = self.substituted.take();
                    }
                }
                let target = (kind != RedirectKind::Descriptor).then_some(target);
                (kind, target)
            }
        };
        Some(Redirect {
            kind,
            target,
            path: None,
            span,
        })
    }

    /// The file of a redirect.
    fn target(
        &mut self,
        lexeme: &crate::lex::Lexeme,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) -> Word {
        let mut words = self.fields(lexeme, &place.script.source, state, context);
        let span = place.span(lexeme.range.clone());
        match (words.pop(), words.is_empty()) {
            (Some(word), true) => word,
            _ => {
                self.findings
                    .problem("a redirect to no file or to several", span.clone());
                Word {
                    value: WordValue::unknown(),
                    span,
                }
            }
        }
    }
}

/// What standard input becomes, if that is what is redirected.
fn stdin_of(context: &mut Context, reads: bool, input: Option<String>) {
    if reads {
        context.stdin = Stdin::Redirected;
        context.input = input;
        context.has_own_input = true;
        context.found = None;
    }
}

fn without_tabs(text: &str) -> String {
    let mut result = String::new();
    for line in text.split_inclusive('\n') {
        result.push_str(line.trim_start_matches('\t'));
    }
    result
}
