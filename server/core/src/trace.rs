//! The trace that an agent says a call belongs to, in W3C's form. It only says
//! where spans hang: it has no authority, and whether anything is exported does
//! not depend on it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A trace and the span in it that a call's span is a child of.
///
/// What the agent says of sampling is not kept: else it could choose which of
/// its calls are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TraceContext {
    trace: [u8; 16],
    span: [u8; 8],
}

/// A text that is no trace context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a trace context: it takes the form 00-<32 digits>-<16 digits>-<2 digits>, in lower-case \
     hexadecimal, and neither id is zero"
)]
pub struct NoTraceContext;

/// How long the only accepted form is, in bytes.
const LENGTH: usize = 55;

impl TraceContext {
    /// The trace's id; never all zero.
    #[must_use]
    pub const fn trace(&self) -> [u8; 16] {
        self.trace
    }

    /// The id of the parent span; never all zero.
    #[must_use]
    pub const fn span(&self) -> [u8; 8] {
        self.span
    }
}

impl FromStr for TraceContext {
    type Err = NoTraceContext;

    /// Takes version 00 of `traceparent` exactly, and nothing else.
    fn from_str(text: &str) -> Result<Self, NoTraceContext> {
        if text.len() != LENGTH {
            return Err(NoTraceContext);
        }
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(NoTraceContext);
        let (version, trace, span, flags) = (next()?, next()?, next()?, next()?);
        if parts.next().is_some() || version != "00" {
            return Err(NoTraceContext);
        }
        let _: [u8; 1] = bytes(flags).ok_or(NoTraceContext)?;
        let trace: [u8; 16] = bytes(trace).ok_or(NoTraceContext)?;
        let span: [u8; 8] = bytes(span).ok_or(NoTraceContext)?;
        if trace == [0; 16] || span == [0; 8] {
            return Err(NoTraceContext);
        }
        Ok(Self { trace, span })
    }
}

/// The bytes of exactly so many lower-case hexadecimal digits.
fn bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let is_hexadecimal = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != 2 * N || !digits.as_bytes().iter().all(is_hexadecimal) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("00-")?;
        for byte in self.trace {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("-")?;
        for byte in self.span {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("-01")
    }
}

impl From<TraceContext> for String {
    fn from(context: TraceContext) -> Self {
        context.to_string()
    }
}

impl TryFrom<String> for TraceContext {
    type Error = NoTraceContext;

    fn try_from(text: String) -> Result<Self, NoTraceContext> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn the_form_of_the_standard_is_taken() {
        let context: TraceContext = GIVEN.parse().unwrap();
        assert_eq!(context.to_string(), GIVEN);
        assert_eq!(context.trace()[..2], [0x0a, 0xf7]);
        assert_eq!(context.span()[..2], [0xb7, 0xad]);
    }

    #[test]
    fn an_agent_that_says_not_sampled_is_not_asked() {
        let unsampled = GIVEN.replace("-01", "-00");
        let context: TraceContext = unsampled.parse().unwrap();
        assert_eq!(context.to_string(), GIVEN);
    }

    #[test]
    fn nothing_else_is_taken() {
        for wrong in [
            "",
            "00",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        ] {
            assert_eq!(
                wrong.parse::<TraceContext>(),
                Err(NoTraceContext),
                "{wrong}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_comes_out_in_the_standards_form(text in "\\PC{0,60}|00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}") {
            if let Ok(context) = text.parse::<TraceContext>() {
                let shown = context.to_string();
                prop_assert_eq!(shown.get(..53), text.get(..53));
                prop_assert_eq!(shown.parse(), Ok(context));
            }
        }
    }
}
