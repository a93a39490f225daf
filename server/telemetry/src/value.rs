//! The messages' small parts: attributes, ids, times.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};

/// Attributes of a span or log record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes(Vec<KeyValue>);

impl Attributes {
    pub(crate) fn text(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.add(name, any_value::Value::StringValue(value.into()))
    }

    pub(crate) fn some_text(&mut self, name: &str, value: Option<impl Into<String>>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    pub(crate) fn count(&mut self, name: &str, value: impl TryInto<i64>) -> &mut Self {
        let value = value.try_into().unwrap_or(i64::MAX);
        self.add(name, any_value::Value::IntValue(value))
    }

    pub(crate) fn some_count(&mut self, name: &str, value: Option<u64>) -> &mut Self {
        match value {
            Some(value) => self.count(name, value),
            None => self,
        }
    }

    pub(crate) fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.add(name, any_value::Value::BoolValue(value))
    }

    pub(crate) fn number(&mut self, name: &str, value: f64) -> &mut Self {
        self.add(name, any_value::Value::DoubleValue(value))
    }

    pub(crate) fn into_vec(self) -> Vec<KeyValue> {
        self.0
    }

    fn add(&mut self, name: &str, value: any_value::Value) -> &mut Self {
        self.0.push(KeyValue {
            key: name.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        });
        self
    }
}

/// A text as a message's value.
pub(crate) fn text(text: impl Into<String>) -> AnyValue {
    AnyValue {
        value: Some(any_value::Value::StringValue(text.into())),
    }
}

/// Nanoseconds since 1970; 0 before.
pub(crate) fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Random bytes of an id; never all zero, which would be none.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() || bytes == [0; N] {
        // An id only has to differ from others.
        let now = nanoseconds(SystemTime::now()).to_le_bytes();
        for (byte, part) in bytes.iter_mut().zip(now.iter().cycle()) {
            *byte = part | 1;
        }
    }
    bytes
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
