//! Action Message Format 0 (amf0-file-format-specification), as far as commands use it: read within bounds, and
//! written.

use bytes::{Buf, BufMut};

use crate::Error;

/// Objects and arrays inside one another.
const DEPTH_MAX: usize = 8;
/// Values in one message, those inside objects and arrays included.
const VALUES_MAX: usize = 1024;

const NUMBER: u8 = 0;
const BOOLEAN: u8 = 1;
const STRING: u8 = 2;
const OBJECT: u8 = 3;
const NULL: u8 = 5;
const UNDEFINED: u8 = 6;
const ECMA_ARRAY: u8 = 8;
const OBJECT_END: u8 = 9;
const STRICT_ARRAY: u8 = 10;
const DATE: u8 = 11;
const LONG_STRING: u8 = 12;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Number(f64),
    Boolean(bool),
    String(String),
    /// An object or an associative array, in the order of the wire.
    Object(Vec<(String, Value)>),
    Array(Vec<Value>),
    /// Milliseconds since 1970.
    Date(f64),
    /// Null or undefined.
    Null,
}

impl Value {
    pub fn string(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    pub fn number(&self) -> Option<f64> {
        if let Value::Number(number) = self { Some(*number) } else { None }
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let Value::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

/// The values of a message.
///
/// # Errors
/// [`Error::Malformed`] and [`Error::TooMuch`]. Types that no command uses (references, XML, class instances, AMF 3)
/// count as malformed.
pub fn read_all(mut bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let mut left = VALUES_MAX;
    let mut values = Vec::new();
    while !bytes.is_empty() {
        values.push(read(&mut bytes, DEPTH_MAX, &mut left)?);
    }
    Ok(values)
}

fn read(bytes: &mut &[u8], depth: usize, left: &mut usize) -> Result<Value, Error> {
    *left = left.checked_sub(1).ok_or(Error::TooMuch("the number of values in a message"))?;
    match u8_of(bytes)? {
        NUMBER => Ok(Value::Number(f64_of(bytes)?)),
        BOOLEAN => Ok(Value::Boolean(u8_of(bytes)? != 0)),
        STRING => Ok(Value::String(text(bytes)?)),
        LONG_STRING => {
            let length = u32_of(bytes)? as usize;
            Ok(Value::String(text_of(bytes, length)?))
        }
        OBJECT => members(bytes, depth, left),
        ECMA_ARRAY => {
            // The count is a hint; the end marker counts.
            u32_of(bytes)?;
            members(bytes, depth, left)
        }
        STRICT_ARRAY => {
            let depth = deeper(depth)?;
            let count = u32_of(bytes)?;
            (0..count).map(|_| read(bytes, depth, left)).collect::<Result<_, _>>().map(Value::Array)
        }
        DATE => {
            let date = f64_of(bytes)?;
            bytes.try_get_u16().map_err(|_| END)?;
            Ok(Value::Date(date))
        }
        NULL | UNDEFINED => Ok(Value::Null),
        _ => Err(Error::Malformed("AMF 0 value of an unknown type")),
    }
}

fn members(bytes: &mut &[u8], depth: usize, left: &mut usize) -> Result<Value, Error> {
    let depth = deeper(depth)?;
    let mut members = Vec::new();
    loop {
        let name = text(bytes)?;
        if name.is_empty() && bytes.first() == Some(&OBJECT_END) {
            bytes.advance(1);
            return Ok(Value::Object(members));
        }
        members.push((name, read(bytes, depth, left)?));
    }
}

const END: Error = Error::Malformed("AMF 0 value cut short");

fn deeper(depth: usize) -> Result<usize, Error> {
    depth.checked_sub(1).ok_or(Error::TooMuch("the depth of an AMF 0 value"))
}

fn u8_of(bytes: &mut &[u8]) -> Result<u8, Error> {
    bytes.try_get_u8().map_err(|_| END)
}

fn u32_of(bytes: &mut &[u8]) -> Result<u32, Error> {
    bytes.try_get_u32().map_err(|_| END)
}

fn f64_of(bytes: &mut &[u8]) -> Result<f64, Error> {
    bytes.try_get_f64().map_err(|_| END)
}

fn text(bytes: &mut &[u8]) -> Result<String, Error> {
    let length = usize::from(bytes.try_get_u16().map_err(|_| END)?);
    text_of(bytes, length)
}

fn text_of(bytes: &mut &[u8], length: usize) -> Result<String, Error> {
    let (text, rest) = bytes.split_at_checked(length).ok_or(END)?;
    *bytes = rest;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// Appends values as the wire has them. Texts above 65,535 bytes are written as long strings; names of members are
/// ours and short.
pub fn write_all(values: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.iter().for_each(|value| write(value, &mut bytes));
    bytes
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => {
            out.put_u8(NUMBER);
            out.put_f64(*number);
        }
        Value::Boolean(flag) => out.put_slice(&[BOOLEAN, u8::from(*flag)]),
        Value::String(text) => match u16::try_from(text.len()) {
            Ok(length) => {
                out.put_u8(STRING);
                out.put_u16(length);
                out.put_slice(text.as_bytes());
            }
            Err(_) => {
                out.put_u8(LONG_STRING);
                out.put_u32(text.len() as u32);
                out.put_slice(text.as_bytes());
            }
        },
        Value::Object(members) => {
            out.put_u8(OBJECT);
            for (name, value) in members {
                let name = &name.as_bytes()[..name.len().min(usize::from(u16::MAX))];
                out.put_u16(name.len() as u16);
                out.put_slice(name);
                write(value, out);
            }
            out.put_slice(&[0, 0, OBJECT_END]);
        }
        Value::Array(values) => {
            out.put_u8(STRICT_ARRAY);
            out.put_u32(values.len() as u32);
            values.iter().for_each(|value| write(value, out));
        }
        Value::Date(date) => {
            out.put_u8(DATE);
            out.put_f64(*date);
            out.put_u16(0);
        }
        Value::Null => out.put_u8(NULL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds() {
        let deep = [[STRICT_ARRAY, 0, 0, 0, 1]; 9].concat();
        assert_eq!(read_all(&deep), Err(Error::TooMuch("the depth of an AMF 0 value")));
        assert_eq!(read_all(&[NULL; 1025]), Err(Error::TooMuch("the number of values in a message")));
        // A count is no promise: nothing is set aside for it.
        assert_eq!(read_all(&[STRICT_ARRAY, 0xff, 0xff, 0xff, 0xff]), Err(END));
        assert_eq!(read_all(&[LONG_STRING, 0xff, 0xff, 0xff, 0xff]), Err(END));
        assert_eq!(read_all(&[17]), Err(Error::Malformed("AMF 0 value of an unknown type")));
    }

    #[test]
    fn an_associative_array_is_an_object() {
        let bytes = [&[ECMA_ARRAY, 0, 0, 0, 9, 0, 1, b'a', NULL][..], &[0, 0, OBJECT_END]].concat();
        assert_eq!(read_all(&bytes), Ok(vec![Value::Object(vec![("a".into(), Value::Null)])]));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            (-1e9f64..1e9).prop_map(Value::Number),
            any::<bool>().prop_map(Value::Boolean),
            "[a-z]{0,12}".prop_map(Value::String),
            (0f64..1e12).prop_map(Value::Date),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(("[a-z]{1,5}", inner.clone()), 0..4).prop_map(Value::Object),
                proptest::collection::vec(inner, 0..4).prop_map(Value::Array),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(values in proptest::collection::vec(value(), 0..5)) {
            prop_assert_eq!(read_all(&write_all(&values)), Ok(values));
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(prop_oneof![0u8..18, any::<u8>()], 0..200)) {
            let _ = read_all(&bytes);
        }
    }
}
