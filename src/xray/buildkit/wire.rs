//! As much of Protocol Buffers' encoding as a few messages with few fields need.

/// The fields of a message. What is cut off or not understood is left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields<'a>(Vec<(u64, Value<'a>)>);

#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Most fields of one message that are read.
const MAX: usize = 2000;

impl<'a> Fields<'a> {
    pub fn read(mut bytes: &'a [u8]) -> Fields<'a> {
        let mut fields = Vec::new();
        while let Some((field, rest)) = field(bytes).filter(|_| fields.len() < MAX) {
            fields.extend(field);
            bytes = rest;
        }
        Fields(fields)
    }

    fn all(&self, tag: u64) -> impl Iterator<Item = Value<'a>> {
        self.0.iter().filter(move |(t, _)| *t == tag).map(|(_, v)| *v)
    }

    /// Whether the field is there.
    pub fn has(&self, tag: u64) -> bool {
        self.all(tag).next().is_some()
    }

    /// A number, 0 where it is not there.
    pub fn number(&self, tag: u64) -> u64 {
        self.all(tag).find_map(|v| if let Value::Number(n) = v { Some(n) } else { None }).unwrap_or_default()
    }

    fn slices(&self, tag: u64) -> impl Iterator<Item = &'a [u8]> {
        self.all(tag).filter_map(|v| if let Value::Bytes(b) = v { Some(b) } else { None })
    }

    /// A text, empty where it is not there.
    pub fn text(&self, tag: u64) -> String {
        self.slices(tag).next().map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default()
    }

    /// A message, empty where it is not there.
    pub fn message(&self, tag: u64) -> Fields<'a> {
        self.slices(tag).next().map(Fields::read).unwrap_or_default()
    }

    /// All messages of a repeated field.
    pub fn messages(&self, tag: u64) -> impl Iterator<Item = Fields<'a>> {
        self.slices(tag).map(Fields::read)
    }
}

type Field<'a> = Option<(u64, Value<'a>)>;

/// The first field, if it is of a known type, and what follows it.
fn field(bytes: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (key, rest) = varint(bytes)?;
    let tag = key >> 3;
    Some(match key & 7 {
        0 => {
            let (n, rest) = varint(rest)?;
            (Some((tag, Value::Number(n))), rest)
        }
        1 => (None, rest.get(8..)?),
        2 => {
            let (length, rest) = varint(rest)?;
            let length = usize::try_from(length).ok()?;
            (Some((tag, Value::Bytes(rest.get(..length)?))), &rest[length..])
        }
        5 => (None, rest.get(4..)?),
        _ => return None,
    })
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * at as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A field of bytes or a message.
pub(super) fn bytes(tag: u64, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    push_varint(&mut out, tag << 3 | 2);
    push_varint(&mut out, value.len() as u64);
    out.extend(value);
    out
}

/// A field of text.
pub(super) fn text(tag: u64, value: &str) -> Vec<u8> {
    bytes(tag, value.as_bytes())
}

/// A field that is true or false.
pub(super) fn boolean(tag: u64, value: bool) -> Vec<u8> {
    let mut out = Vec::new();
    push_varint(&mut out, tag << 3);
    push_varint(&mut out, value.into());
    out
}
