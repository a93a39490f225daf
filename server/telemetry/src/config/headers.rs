//! Headers as the variables write them: `name=value,name=value`,
//! percent-encoded. No message repeats a value.

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

/// The most headers.
const MOST: usize = 32;

/// Those that the exporter itself says.
const OWN: [&str; 6] = [
    "content-type",
    "content-length",
    "content-encoding",
    "host",
    "te",
    "transfer-encoding",
];

/// The headers, or what is wrong.
pub(super) fn parse(text: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let form = "is not of the form name=value,name=value";
        let (name, value) = pair.split_once('=').ok_or(form)?;
        let name: HeaderName = name
            .trim()
            .parse()
            .map_err(|_| "has a name that is none of a header")?;
        if OWN.contains(&name.as_str()) || name.as_str().starts_with("grpc-") {
            return Err(format!(
                "sets the header {name}, which is the exporter's own"
            ));
        }
        let value = percent_decode_str(value.trim())
            .decode_utf8()
            .map_err(|_| form)?;
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| format!("has a value of {name} that no header can have"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
        if headers.len() > MOST {
            return Err(format!("has more than {MOST} headers"));
        }
    }
    Ok(headers)
}
