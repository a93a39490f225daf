//! Log records: the same lines as on standard error, by the one formatter,
//! joined with the call's span.

use std::time::SystemTime;

use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};

use crate::names;
use crate::open::Place;
use crate::spans::auto_mode;
use crate::told::Call;
use crate::value::{Attributes, nanoseconds, text};

fn record(name: &str, severity: SeverityNumber, at: SystemTime, line: String) -> LogRecord {
    let is_error = severity == SeverityNumber::Error;
    LogRecord {
        time_unix_nano: nanoseconds(at),
        observed_time_unix_nano: nanoseconds(at),
        severity_number: severity.into(),
        severity_text: if is_error { "ERROR" } else { "WARN" }.to_owned(),
        body: Some(text(line)),
        event_name: name.to_owned(),
        ..LogRecord::default()
    }
}

fn of(mut record: LogRecord, place: Option<Place>) -> LogRecord {
    if let Some(place) = place {
        record.trace_id = place.trace.to_vec();
        record.span_id = place.span.to_vec();
        record.flags = 1;
    }
    record
}

/// The line of a decision.
pub(crate) fn decided(call: &Call, line: String, place: Place) -> LogRecord {
    let is_fallback = call.asked.is_some();
    let name = if is_fallback {
        names::LOG_FALLBACK
    } else {
        names::LOG_BLOCKED
    };
    let mut record = record(name, SeverityNumber::Warn, call.decided, line);
    let mut attributes = Attributes::default();
    attributes.text(names::CALL_ID, &call.id);
    if !is_fallback {
        attributes
            .some_text(names::REASON, call.reason)
            .text(names::TOOL, call.tool);
    }
    auto_mode(&mut attributes, call);
    record.attributes = attributes.into_vec();
    of(record, Some(place))
}

/// The line of an answer that cleared counters.
pub(crate) fn reset(call: &str, at: SystemTime, line: String, place: Option<Place>) -> LogRecord {
    let mut record = record(names::LOG_RESET, SeverityNumber::Warn, at, line);
    let mut attributes = Attributes::default();
    attributes.text(names::CALL_ID, call);
    record.attributes = attributes.into_vec();
    of(record, place)
}

/// A tool ran that nobody decided about.
pub(crate) fn unguarded(at: SystemTime) -> LogRecord {
    let line = "a tool ran without a decision: the hook is not asked for every call; check with \
                `countersign doctor`";
    record(
        names::LOG_UNGUARDED,
        SeverityNumber::Error,
        at,
        line.to_owned(),
    )
}
