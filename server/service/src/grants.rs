//! "Allow this exact call once": what a person granted after the classifier
//! said no. In memory only, and bound to the call and to the files it names.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use countersign_core::call::{Call, Digest, SessionKey};

use crate::sessions::held;

/// How long a grant can be used.
const VALID_FOR: Duration = Duration::from_secs(10 * 60);

/// Denials that can still be granted.
const MOST_DENIED: usize = 64;

/// About how many bytes they may hold.
const MOST_DENIED_BYTES: usize = 16 * 1024 * 1024;

/// A call that the classifier denied.
#[derive(Debug, Clone)]
pub(crate) struct Denied {
    /// The guard's id of the call.
    pub(crate) id: String,
    pub(crate) key: SessionKey,
    pub(crate) call: Arc<Call>,
    /// What a grant is bound to, as it was at the denial.
    pub(crate) digest: Digest,
}

#[derive(Debug)]
struct Grant {
    key: SessionKey,
    digest: Digest,
    until: Instant,
}

/// Why a grant is not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The classifier did not deny such a call, or that was too long ago.
    #[error("no call {0} that the classifier denied; only such a call can be granted")]
    NotDenied(String),
    /// A file that the call names is not what it was.
    #[error("call {0} is not granted: a file it names changed since it was denied")]
    Changed(String),
}

/// What was denied and what was granted.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    denied: VecDeque<Denied>,
    granted: Vec<Grant>,
}

impl Grants {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The classifier denied this.
    pub(crate) fn denied(&self, denied: Denied) {
        let mut inner = self.lock();
        inner.denied.push_back(denied);
        let mut bytes = inner
            .denied
            .iter()
            .map(|one| held(&one.call))
            .sum::<usize>();
        // The newest can always be granted.
        while inner.denied.len() > 1
            && (inner.denied.len() > MOST_DENIED || bytes > MOST_DENIED_BYTES)
        {
            if let Some(oldest) = inner.denied.pop_front() {
                bytes -= held(&oldest.call).min(bytes);
            }
        }
    }

    /// The denied call of this id.
    pub(crate) fn find(&self, id: &str) -> Option<Denied> {
        self.lock()
            .denied
            .iter()
            .find(|denied| denied.id == id)
            .cloned()
    }

    /// A person grants a denied call; `digest` is what it is bound to now.
    pub(crate) fn grant(
        &self,
        id: &str,
        digest: Digest,
        now: Instant,
    ) -> Result<Denied, GrantError> {
        let mut inner = self.lock();
        let position = inner
            .denied
            .iter()
            .position(|denied| denied.id == id)
            .ok_or_else(|| GrantError::NotDenied(id.to_owned()))?;
        let Some(denied) = inner.denied.remove(position) else {
            return Err(GrantError::NotDenied(id.to_owned()));
        };
        if denied.digest != digest {
            return Err(GrantError::Changed(id.to_owned()));
        }
        inner.granted.push(Grant {
            key: denied.key.clone(),
            digest,
            until: now + VALID_FOR,
        });
        Ok(denied)
    }

    /// Whether anything is granted to the session: then a call's digest is
    /// worth computing.
    pub(crate) fn has_any(&self, key: &SessionKey, now: Instant) -> bool {
        let mut inner = self.lock();
        inner.granted.retain(|grant| now < grant.until);
        inner.granted.iter().any(|grant| grant.key == *key)
    }

    /// Takes the grant for exactly this call. Who took it and did not need it
    /// gives it back.
    pub(crate) fn take(&self, key: &SessionKey, digest: Digest, now: Instant) -> Option<Taken> {
        let mut inner = self.lock();
        let position = inner
            .granted
            .iter()
            .position(|grant| grant.key == *key && grant.digest == digest && now < grant.until)?;
        Some(Taken(inner.granted.remove(position)))
    }

    /// The grant was not needed.
    pub(crate) fn give_back(&self, taken: Taken) {
        self.lock().granted.push(taken.0);
    }
}

/// A grant in use.
#[derive(Debug)]
pub(crate) struct Taken(Grant);

#[cfg(test)]
mod tests {
    use countersign_core::agent::Agent;
    use countersign_core::mode::AgentMode;

    use super::*;

    fn denied(id: &str, digest: Digest) -> Denied {
        let key = SessionKey {
            agent: Agent::Qwen,
            session: "s".to_owned(),
            subagent: None,
        };
        Denied {
            id: id.to_owned(),
            call: Arc::new(Call {
                key: key.clone(),
                id: None,
                raw_tool: String::new(),
                raw_input: serde_json::Value::Null,
                cwd: "/w".into(),
                search_path: Vec::new(),
                agent_mode: AgentMode::Other,
                operations: Vec::new(),
            }),
            key,
            digest,
        }
    }

    #[test]
    fn a_grant_is_for_one_call_once_and_for_ten_minutes() {
        let (grants, now) = (Grants::default(), Instant::now());
        let (same, other) = (Digest([1; 32]), Digest([2; 32]));
        let call = denied("c", same);
        grants.denied(call.clone());
        assert!(
            grants.take(&call.key, same, now).is_none(),
            "not granted yet"
        );
        grants.grant("c", same, now).unwrap();
        assert!(grants.grant("c", same, now).is_err(), "granted once");
        assert!(grants.take(&call.key, other, now).is_none(), "another call");
        let mut foreign = call.key.clone();
        foreign.session = "t".to_owned();
        assert!(
            grants.take(&foreign, same, now).is_none(),
            "another session"
        );
        assert!(
            grants.take(&call.key, same, now + VALID_FOR).is_none(),
            "too late"
        );
        let taken = grants.take(&call.key, same, now).unwrap();
        assert!(grants.take(&call.key, same, now).is_none(), "spent");
        grants.give_back(taken);
        assert!(grants.take(&call.key, same, now).is_some());
    }

    #[test]
    fn what_changed_since_the_denial_is_not_granted() {
        let grants = Grants::default();
        grants.denied(denied("c", Digest([1; 32])));
        let error = grants
            .grant("c", Digest([2; 32]), Instant::now())
            .unwrap_err();
        assert_eq!(error, GrantError::Changed("c".to_owned()));
        let error = grants
            .grant("x", Digest([2; 32]), Instant::now())
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("only such a call can be granted")
        );
    }

    #[test]
    fn denials_are_kept_in_a_bounded_list() {
        let grants = Grants::default();
        for n in 0..1_000 {
            grants.denied(denied(&n.to_string(), Digest([0; 32])));
        }
        assert_eq!(grants.lock().denied.len(), MOST_DENIED);
        assert!(grants.find("999").is_some() && grants.find("1").is_none());
    }
}
