//! Commands and prompts of a person. A command that approves, grants or
//! loosens only opens a prompt; what the person then clicks is done in a task
//! of its own.

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::approval::AnswerSource;
use countersign_core::call::SessionKey;
use countersign_core::decision::Decision;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::Millis;
use countersign_engine::ledger::Vouching;
use countersign_service::{
    AnswerError, Choice, PersonError, Remember, Said, Service, SessionView, TOO_SOON,
};
use serde_json::Value;
use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{self, ErrorCode, Result};
use tower_lsp::lsp_types::request::ShowDocument;
use tower_lsp::lsp_types::{MessageActionItem, MessageType, ShowDocumentParams, Url};

use crate::actor::{Actor, Event};
use crate::draw;
use crate::draw::diagnostics::Files;
use crate::prompts::{Action, Prompt, Subject, Ticket};
use crate::protocol::{SessionName, commands};
use crate::server::{argument, code, failure, invalid};
use crate::{convert, documents, prompt, requests_of_a_person};

mod modes;

impl Actor {
    /// Begins a command; says at once what was begun.
    pub(crate) fn command(
        &mut self,
        name: &str,
        arguments: &[Value],
        answer: oneshot::Sender<Result<Option<Value>>>,
    ) {
        if name == commands::EXPLAIN || name == commands::SHOW_CHANGE {
            self.show_text_of_call(name, arguments, answer);
            return;
        }
        let begun = self.begin_command(name, arguments);
        let _ = answer.send(begun.map(|()| None));
    }

    fn begin_command(&mut self, name: &str, arguments: &[Value]) -> Result<()> {
        match name {
            commands::APPROVE => {
                let id = self.pending_argument(arguments)?;
                if !self.draw_approval(&id) {
                    self.prompt_now(Subject::Approval(id));
                }
            }
            commands::DENY => {
                let id = self.pending_argument(arguments)?;
                let message = argument::<String>(arguments, 1);
                self.answer(Subject::Approval(id), Choice::Deny { message });
            }
            commands::REMEMBER => {
                let id = self.pending_argument(arguments)?;
                let rule = argument::<String>(arguments, 1)
                    .ok_or_else(|| invalid("the second argument is the rule to remember"))?;
                if !self.draw_approval(&id) {
                    // Whatever fits into no prompt is looked at first, also
                    // where a diagnostic has it: editors cut those.
                    let fits = prompt::fits_a_rule(&rule)
                        && self
                            .service()
                            .pending_of(&id)
                            .is_some_and(|pending| draw::prompt_text::approval(&pending).fits);
                    self.prompt_now(if fits {
                        Subject::Remember { id, rule }
                    } else {
                        Subject::Approval(id)
                    });
                }
            }
            commands::GRANT => {
                let id = call_argument(arguments)?;
                self.prompt_or_fail(Subject::Grant { id, seen: false })?;
            }
            commands::SHOW_SESSION => {
                let name = argument::<SessionName>(arguments, 0)
                    .ok_or_else(|| invalid("the argument is the session's name"))?;
                let key = convert::session_key(&name).map_err(invalid)?;
                self.show_session(&key, None);
            }
            commands::SHOW_PENDING => {
                for pending in self.service().pending() {
                    if !self.draw_approval(&pending.id) {
                        self.queue.push(Subject::Approval(pending.id.clone()));
                    }
                }
            }
            commands::SET_MODE => self.choose_mode(arguments)?,
            commands::RESET_COUNTERS => {
                let session = session_argument(arguments, 0)?;
                self.prompt_now(Subject::Reset(session));
            }
            commands::TRUST => {
                let folder = self.workspace_argument(arguments)?;
                self.prompt_or_fail(Subject::Trust(folder))?;
            }
            commands::SET_BASELINE => {
                let folder = self.workspace_argument(arguments)?;
                let head = self.service().head_of(&folder);
                let head = head.ok_or_else(|| {
                    failure(code::NOT_FOUND, "no commit is checked out in the workspace")
                })?;
                self.prompt_or_fail(Subject::Baseline(folder, head))?;
            }
            commands::CONSENT => {
                let folder = self.workspace_argument(arguments)?;
                let settings = self.service().settings(&folder);
                let (consent, removal) = (settings.consent_digest(), settings.removal_digest());
                self.queue
                    .push(Subject::Consent(folder.clone(), consent, false));
                self.queue.push(Subject::Removal(folder, removal, false));
            }
            other => return Err(invalid(format!("no command {other} is known"))),
        }
        Ok(())
    }

    /// Lets a client that draws approvals itself bring one to the front.
    fn draw_approval(&self, id: &str) -> bool {
        let draws = self.shared.client().draws_approvals();
        if draws && let Some(pending) = self.service().pending_of(id) {
            self.outbox.asked(convert::approval(&pending, true));
            // It may come under the cursor only now.
            self.service().shown(id);
        }
        draws
    }

    fn prompt_or_fail(&mut self, subject: Subject) -> Result<()> {
        if self.prompt_now(subject) {
            Ok(())
        } else {
            Err(failure(code::NOT_FOUND, "there is nothing to ask about it"))
        }
    }

    fn pending_argument(&self, arguments: &[Value]) -> Result<String> {
        let id = call_argument(arguments)?;
        if self.service().pending_of(&id).is_some() {
            Ok(id)
        } else {
            Err(failure(
                code::NOT_FOUND,
                format!("no approval {id} is open; it was answered or ended"),
            ))
        }
    }

    fn workspace_argument(&self, arguments: &[Value]) -> Result<Utf8PathBuf> {
        let known = self.service().workspaces();
        let folder = match arguments.first() {
            Some(Value::Null) | None => known.into_iter().next(),
            Some(named) => known.into_iter().find(|folder| named == folder.as_str()),
        };
        folder.ok_or_else(|| invalid("no such workspace is open in this editor"))
    }

    /// Puts up by itself what a person must say once: trust in a workspace in
    /// which an agent works, and consent to what its settings loosen. Clients
    /// of ours take both from the status.
    pub(crate) fn offer_trust_and_consent(&mut self) {
        if self.shared.client().draws_approvals() || self.service().refusal().is_some() {
            return;
        }
        let sessions = self.service().sessions();
        for folder in self.service().workspaces() {
            let settings = self.service().settings(&folder);
            let here = || {
                let is_here = |session: &&SessionView| session.workspace.as_ref() == Some(&folder);
                sessions.iter().filter(is_here)
            };
            if !settings.trusted {
                // What a call waits for comes first.
                let is_asking = here().any(|session| {
                    let story = self.service().story(&session.key);
                    story
                        .last()
                        .is_some_and(|call| matches!(call.decision, Decision::Ask { .. }))
                });
                let works_there = here().next().is_some() && !is_asking;
                if works_there && self.offered.insert(format!("trust {folder}")) {
                    self.queue.push(Subject::Trust(folder.clone()));
                }
            }
            let (consent, removal) = (settings.consent_digest(), settings.removal_digest());
            if settings.trusted
                && !settings.pending_consent.is_empty()
                && self.offered.insert(format!("consent {folder} {consent}"))
            {
                self.queue
                    .push(Subject::Consent(folder.clone(), consent, false));
            }
            // What restricts holds in a folder that nobody trusts, too.
            if !settings.kept_tightening.is_empty()
                && self.offered.insert(format!("removal {folder} {removal}"))
            {
                self.queue.push(Subject::Removal(folder, removal, false));
            }
        }
    }

    /// A prompt was answered, or cannot be.
    pub(crate) fn prompted(
        &mut self,
        ticket: Ticket,
        subject: Subject,
        prompt: &Prompt,
        answer: std::result::Result<Option<MessageActionItem>, jsonrpc::Error>,
        after: Duration,
    ) {
        let is_current = self.queue.answered(ticket).is_some();
        let title = match answer {
            Ok(item) => item.map(|item| item.title),
            Err(error) if error.code == ErrorCode::MethodNotFound => {
                self.cannot_prompt();
                return;
            }
            Err(error) => {
                tracing::warn!("a prompt was not answered: {error}");
                None
            }
        };
        let meaning = prompt.meaning(title.as_deref());
        // A prompt that was replaced still shows what it asks: a click in it
        // counts, closing it does not. What it asked may be over; then the
        // answer is late, and only written down.
        if !is_current && (meaning.is_none() || subject.approval().is_none()) {
            return;
        }
        self.service().is_used();
        // Nobody can have read it. Of approvals, the service knows better when
        // they came up, and says so itself.
        let agrees = matches!(meaning, Some(Action::Yes | Action::Remember));
        if agrees && after < TOO_SOON && subject.approval().is_none() {
            self.ask_after(TOO_SOON, subject);
            return;
        }
        match meaning {
            Some(Action::Show) => self.show_subject(subject),
            Some(Action::Later) => self.ask_again_later(subject),
            Some(Action::Yes) => self.yes(subject),
            Some(Action::Remember) => {
                let rules = match &subject {
                    Subject::Remember { rule, .. } => vec![rule.clone()],
                    Subject::Approval(id) | Subject::Confirm(id) => self
                        .service()
                        .pending_of(id)
                        .map(|pending| pending.suggestions.clone())
                        .unwrap_or_default(),
                    _ => return,
                };
                let scope = Remember::Session;
                self.answer(subject, Choice::Remember { rules, scope });
            }
            Some(Action::No) if subject.approval().is_some() => {
                self.answer(subject, Choice::Deny { message: None });
            }
            None if subject.approval().is_some() => self.answer(subject, Choice::Dismiss),
            Some(Action::No) | None => {}
        }
    }

    /// Asks again after a minute, or before if there is less time for an answer.
    fn ask_again_later(&self, subject: Subject) {
        const TO_READ: Millis = 60 * 1_000;
        let time = match subject.approval() {
            Some(id) => {
                let Some(pending) = self.service().pending_of(id) else {
                    return;
                };
                let left = pending.deadline.saturating_sub(self.service().now());
                TO_READ.min(left / 2)
            }
            None => TO_READ,
        };
        self.ask_after(Duration::from_millis(time.max(0).unsigned_abs()), subject);
    }

    fn ask_after(&self, time: Duration, subject: Subject) {
        let events = self.events.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let _ = events.send(Event::Offer(subject));
        });
    }

    fn yes(&mut self, subject: Subject) {
        match subject {
            Subject::Approval(_) | Subject::Confirm(_) | Subject::Remember { .. } => {
                self.answer(subject, Choice::Approve);
            }
            Subject::Grant { id, .. } => self.act(move |service| async move {
                service.grant(id, AnswerSource::StandardPrompt).await
            }),
            Subject::Trust(folder) => {
                let events = self.events.clone();
                self.act(move |service| async move {
                    let source = AnswerSource::StandardPrompt;
                    service.trust(folder.clone(), true, source).await?;
                    if let Some(offer) = auto_offer(&service, &folder) {
                        let _ = events.send(Event::Offer(offer));
                    }
                    Ok(())
                });
            }
            Subject::Baseline(folder, commit) => self.act(move |service| async move {
                let (vouching, source) = (Vouching::Commit, AnswerSource::StandardPrompt);
                service.set_baseline(folder, commit, vouching, source).await
            }),
            Subject::Consent(folder, digest, _) => self.act(move |service| async move {
                let source = AnswerSource::StandardPrompt;
                service.consent(folder, digest, source).await
            }),
            Subject::Removal(folder, digest, _) => self.act(move |service| async move {
                let source = AnswerSource::StandardPrompt;
                service.confirm_removal(folder, digest, source).await
            }),
            Subject::Mode { mode, session } => {
                let said = Said {
                    acknowledged: true,
                    confirmed: true,
                };
                self.set_mode(mode, session, said);
            }
            Subject::Reset(session) => self.act(move |service| async move {
                requests_of_a_person::reset_counters(&service, session).await
            }),
        }
    }

    fn set_mode(&self, mode: ApprovalMode, session: Option<SessionKey>, said: Said) {
        let events = self.events.clone();
        self.act(move |service| async move {
            let set = service.set_mode(session, mode, said).await;
            if let Err(PersonError::NotTrusted { workspace, .. }) = &set {
                let _ = events.send(Event::Offer(Subject::Trust(workspace.clone())));
            }
            set
        });
    }

    /// Does what a person clicked, and says what went wrong.
    fn act<F>(&self, act: impl FnOnce(Arc<Service>) -> F)
    where
        F: Future<Output = std::result::Result<(), PersonError>> + Send + 'static,
    {
        let acting = act(Arc::clone(self.service()));
        let outbox = self.outbox.clone();
        tokio::spawn(async move {
            if let Err(error) = acting.await {
                outbox.message(MessageType::ERROR, format!("Countersign: {error}"));
            }
        });
    }

    fn answer(&self, subject: Subject, choice: Choice) {
        let Some(id) = subject.approval().map(str::to_owned) else {
            return;
        };
        let service = Arc::clone(self.service());
        let source = self.shared.client().surface().source();
        let (outbox, events) = (self.outbox.clone(), self.events.clone());
        tokio::spawn(async move {
            let pending = service.pending_of(&id);
            let nonce = pending.as_ref().map(|pending| pending.nonce.reveal());
            let nonce = if choice.approves() { nonce } else { None };
            let closes = choice == Choice::Dismiss;
            let tell = |text: String| outbox.message(MessageType::WARNING, text);
            match service.answer(&id, nonce, choice, source).await {
                Ok(answered) => {
                    if let Some(warning) = answered.warning {
                        tell(format!("Countersign: {warning}"));
                    }
                }
                Err(AnswerError::TooSoon(_)) => {
                    // Not at once: something may click faster than people do.
                    tokio::time::sleep(TOO_SOON).await;
                    let _ = events.send(Event::Offer(subject));
                }
                // Closing what is over already is no news to anybody.
                Err(AnswerError::NotOpen(_)) if closes => {}
                Err(error) => tell(format!("Countersign: {error}")),
            }
        });
    }

    /// The client has no prompts: nobody can be asked from now on.
    fn cannot_prompt(&mut self) {
        tracing::warn!("the editor has no window/showMessageRequest; nobody can be asked in it");
        self.service().cannot_ask();
        let service = Arc::clone(self.service());
        tokio::spawn(async move { service.nobody_answers().await });
        self.draw_anew();
    }

    /// Shows the whole of what a prompt could only name.
    fn show_subject(&self, subject: Subject) {
        // Not what has taken the place of what it asked.
        if prompt::of(self.service(), &subject).is_none() {
            return;
        }
        match &subject {
            Subject::Approval(id) => {
                let Some(pending) = self.service().pending_of(id) else {
                    return;
                };
                let key = pending.key.root();
                self.show_session(&key, Some(subject));
            }
            Subject::Consent(folder, ..) | Subject::Removal(folder, ..) => {
                let text = prompt::consent_text(self.service(), folder);
                self.show_file("settings", text, Some(subject));
            }
            Subject::Grant { id, .. } => {
                if let Some(text) = prompt::denied_call_text(self.service(), id) {
                    self.show_file("call", text, Some(subject));
                }
            }
            Subject::Confirm(_)
            | Subject::Remember { .. }
            | Subject::Trust(_)
            | Subject::Baseline(..)
            | Subject::Mode { .. }
            | Subject::Reset(_) => {}
        }
    }

    fn show_session(&self, key: &SessionKey, subject: Option<Subject>) {
        if self.shared.client().shows_our_documents() {
            match draw::uri::session(key) {
                Some(uri) => self.show_uri(uri, None, subject),
                None => self.cannot_show(None, subject),
            }
            return;
        }
        let snapshot = crate::snapshot::Snapshot::take(self.service());
        let text = draw::session_document::render(&snapshot, key).text;
        self.show_file("session", text, subject);
    }

    /// Shows a text to a client that shows only files.
    fn show_file(&self, name: &str, text: String, subject: Option<Subject>) {
        match documents::write(&self.service().places().runtime_dir, name, &text) {
            Ok(path) => match draw::uri::file(&path) {
                Some(uri) => self.show_uri(uri, Some(&path), subject),
                None => self.cannot_show(Some(&path), subject),
            },
            Err(error) => {
                self.outbox
                    .message(MessageType::ERROR, format!("Countersign: {error}"));
                self.cannot_show(None, subject);
            }
        }
    }

    fn show_uri(&self, uri: Url, file: Option<&Utf8Path>, subject: Option<Subject>) {
        if !self.shared.client().shows_documents {
            self.cannot_show(file, subject);
            return;
        }
        let params = |take_focus: bool| ShowDocumentParams {
            uri: uri.clone(),
            external: Some(false),
            take_focus: Some(take_focus),
            selection: None,
        };
        let first = self.requests.send::<ShowDocument>(params(true));
        let beside = params(false);
        let (requests, events) = (self.requests.clone(), self.events.clone());
        tokio::spawn(async move {
            let shown = match first.await {
                Ok(Ok(result)) => result.success,
                // Neovim (0.10 to 0.12) fails to give it the focus where the
                // cursor is at no word. Beside the window that has the focus
                // it can show it.
                Ok(Err(_)) | Err(_) => {
                    let second = requests.send::<ShowDocument>(beside).await;
                    matches!(second, Ok(Ok(result)) if result.success)
                }
            };
            if let Some(subject) = subject {
                let _ = events.send(Event::Shown { subject, shown });
            }
        });
    }

    fn cannot_show(&self, file: Option<&Utf8Path>, subject: Option<Subject>) {
        if let Some(file) = file {
            self.outbox.message(
                MessageType::INFO,
                format!("Countersign: the whole text is in {file}"),
            );
        }
        if let Some(subject) = subject {
            let _ = self.events.send(Event::Shown {
                subject,
                shown: false,
            });
        }
    }

    /// After the whole was shown, the person can say yes; before, only no.
    pub(crate) fn shown(&mut self, subject: Subject, shown: bool) {
        let next = match subject {
            Subject::Approval(id) if shown => Subject::Confirm(id),
            Subject::Grant { id, seen } => Subject::Grant {
                id,
                seen: seen || shown,
            },
            Subject::Consent(folder, digest, seen) => {
                Subject::Consent(folder, digest, seen || shown)
            }
            Subject::Removal(folder, digest, seen) => {
                Subject::Removal(folder, digest, seen || shown)
            }
            other => other,
        };
        self.prompt_now(next);
    }

    fn show_text_of_call(
        &self,
        name: &str,
        arguments: &[Value],
        answer: oneshot::Sender<Result<Option<Value>>>,
    ) {
        let id = match call_argument(arguments) {
            Ok(id) => id,
            Err(error) => {
                let _ = answer.send(Err(error));
                return;
            }
        };
        let text = if name == commands::EXPLAIN {
            requests_of_a_person::explain(self.service(), &id)
        } else {
            let pending = self.service().pending_of(&id);
            pending
                .and_then(|pending| draw::change::change(&pending, &mut Files::real()))
                .map(|(title, text)| format!("{title}\n\n{text}"))
        };
        let Some(text) = text else {
            let unknown = failure(code::NOT_FOUND, format!("nothing is known of call {id}"));
            let _ = answer.send(Err(unknown));
            return;
        };
        // A client of ours shows it in its own way.
        if !self.shared.client().draws_approvals() {
            let kind = if name == commands::EXPLAIN {
                "call"
            } else {
                "change"
            };
            self.show_file(kind, text.clone(), None);
        }
        let _ = answer.send(Ok(Some(Value::String(text))));
    }
}

/// Whether a person who just trusted a workspace should be told of auto mode.
fn auto_offer(service: &Service, folder: &Utf8Path) -> Option<Subject> {
    let settings = service.settings(folder);
    let is_new = settings.approval_mode.is_none() && !settings.auto_acknowledged;
    (settings.trusted && is_new).then_some(Subject::Mode {
        mode: ApprovalMode::Auto,
        session: None,
    })
}

fn call_argument(arguments: &[Value]) -> Result<String> {
    argument(arguments, 0).ok_or_else(|| invalid("the first argument is the call's id"))
}

/// The session that is named; none where no argument is. What cannot be read
/// does not mean every session.
fn session_argument(arguments: &[Value], at: usize) -> Result<Option<SessionKey>> {
    if arguments.get(at).is_none_or(Value::is_null) {
        return Ok(None);
    }
    let name = argument::<SessionName>(arguments, at)
        .ok_or_else(|| invalid("the session's name is an object with agent and session"))?;
    convert::session_key(&name).map(Some).map_err(invalid)
}
