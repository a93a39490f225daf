//! The small program: it starts quickly because it holds no network and loads
//! no library. What needs either, it hands over.

use camino::Utf8Path;
use countersign_engine::request::Request;
use countersign_hook::{Undecided, hand_over};
use countersign_settings::Places;

use crate::beyond::{Beyond, Judged};
use crate::deciding::{Deciding, Ground};

/// Hands over what it does not do itself.
#[derive(Debug, Clone, Copy)]
pub struct Small;

impl Beyond for Small {
    fn places(&self, home: Option<&Utf8Path>) -> Result<Places, String> {
        match Places::by_file(home) {
            Ok(Some(places)) => Ok(places),
            // Another source of users counts, and is a library.
            Ok(None) => Err(hand_over::unread()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn user_hooks(&self, alone: &Undecided<'_>) -> Result<(), String> {
        Err(hand_over::undecided(alone))
    }

    fn judge(
        &self,
        deciding: &Deciding<'_, Self>,
        _: &Request<'_>,
        _: &Ground,
    ) -> Result<Judged, String> {
        Err(hand_over::undecided(deciding.alone))
    }
}
