//! Writes values: in the canonical form that is signed, and as ordinary JSON.

use super::{Object, Value};

/// How strings are escaped; all else is alike.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// OLPC canonical JSON: only `"` and `\` are escaped, and control characters stand as they are, which is not JSON.
    Canonical,
    /// RFC 8259.
    Ordinary,
}

pub(super) fn write(value: &Value<'_>, form: Form, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Unsigned(number) => write_digits(*number, out),
        Value::Negative(number) => {
            if *number < 0 {
                out.push(b'-');
            }
            write_digits(number.unsigned_abs(), out);
        }
        Value::String(text) => write_string(text, form, out),
        Value::Array(values) => write_array(values, form, out),
        Value::Object(object) => write_object(object, form, out),
    }
}

fn write_array(values: &[Value<'_>], form: Form, out: &mut Vec<u8>) {
    out.push(b'[');
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(value, form, out);
    }
    out.push(b']');
}

/// Members are sorted already: an [`Object`] keeps them so.
fn write_object(object: &Object<'_>, form: Form, out: &mut Vec<u8>) {
    out.push(b'{');
    for (place, (name, value)) in object.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_string(name, form, out);
        out.push(b':');
        write(value, form, out);
    }
    out.push(b'}');
}

/// A tenth of the time of `write!`; a snapshot has one number for each of thousands of roles.
fn write_digits(mut number: u64, out: &mut Vec<u8>) {
    let start = out.len();
    loop {
        out.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

fn write_string(text: &str, form: Form, out: &mut Vec<u8>) {
    let escaped = |byte: u8| byte == b'"' || byte == b'\\' || (byte < b' ' && form == Form::Ordinary);
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((plain, special, after)) = split_at_first(rest, escaped) {
        out.extend_from_slice(plain);
        match special {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', special]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(format!("\\u{special:04x}").as_bytes()),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// What is before the first such byte, the byte, and what is after it.
fn split_at_first(bytes: &[u8], matches: impl Fn(u8) -> bool) -> Option<(&[u8], u8, &[u8])> {
    let place = bytes.iter().position(|byte| matches(*byte))?;
    let (before, rest) = bytes.split_at(place);
    let (byte, after) = rest.split_first()?;
    Some((before, *byte, after))
}
