//! Owns the byte form of events and state: the compatibility surface of everything ever journaled.
//!
//! The wire format is that of Protocol Buffers (varints and length-delimited fields with permanent
//! numbers), so any protobuf tool reads it. Fields and variants are added with new numbers, never
//! renumbered or reused; unknown fields are skipped, missing optional ones are absent. `record!` and
//! `union!` declare a type, its numbers, its bytes and its JSON rendering in one place.
//!
//! Source of the wire format: <https://protobuf.dev/programming-guides/encoding/>.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use graph::value::{DEPTH_MAX, Object, Str, Value};

/// How deep data may nest that is read back: more than [`DEPTH_MAX`], because a list of outputs is
/// written before it is checked as data of its own.
const DEPTH_READ_MAX: usize = DEPTH_MAX + 8;

/// What most values take, so that their buffers need not grow.
const ENCODED_BYTES: usize = 64;

/// Bytes that are not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The bytes end within a value.
    Short,
    /// A number, text or nesting that no writer makes.
    Malformed(&'static str),
    /// A field that every writer gives is absent.
    Missing(&'static str),
    /// A variant this release does not know: a newer one wrote it.
    Unknown(&'static str, u64),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Short => f.write_str("the bytes end within a value"),
            Damage::Malformed(what) => write!(f, "malformed {what}"),
            Damage::Missing(field) => write!(f, "field {field} is missing"),
            Damage::Unknown(union, number) => {
                write!(
                    f,
                    "{union} number {number} is unknown: a newer release wrote it"
                )
            }
        }
    }
}

impl core::error::Error for Damage {}

/// Appends an unsigned number, seven bits a byte, least significant first.
pub fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Takes an unsigned number from the front.
///
/// # Errors
/// Bytes that end early or more than ten of them.
pub fn get_varint(input: &mut &[u8]) -> Result<u64, Damage> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first().ok_or(Damage::Short)?;
        *input = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Damage::Malformed("varint"))
}

/// Takes a length and that many bytes from the front.
fn get_block<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], Damage> {
    let length = usize::try_from(get_varint(input)?).map_err(|_| Damage::Short)?;
    let (block, rest) = input.split_at_checked(length).ok_or(Damage::Short)?;
    *input = rest;
    Ok(block)
}

/// Appends what `fill` writes, preceded by its length.
pub fn put_block(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let mark = out.len();
    out.push(0);
    fill(out);
    let length = out.len() - mark - 1;
    if length < 0x80 {
        out[mark] = length.to_le_bytes()[0];
        return;
    }
    let mut prefix = Vec::with_capacity(5);
    put_varint(length as u64, &mut prefix);
    out.splice(mark..=mark, prefix);
}

/// A type with a byte form.
pub trait Wire: Sized {
    /// Whether the form is a bare varint; otherwise it is a block with a length before it.
    const VARINT: bool;
    /// Appends the form, without length.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads a form: all of `input` for a block, the front of it for a varint.
    ///
    /// # Errors
    /// Bytes that are not such a form.
    fn get(input: &mut &[u8]) -> Result<Self, Damage>;
    /// The same as JSON, for people.
    fn to_value(&self) -> Value;
}

/// A field of a record: one value, an optional one, or several.
pub trait Field: Sized {
    /// What is gathered while reading.
    type Slot: Default;
    /// Appends tag and value; nothing when absent.
    fn put_field(&self, number: u64, out: &mut Vec<u8>);
    /// Reads one occurrence.
    ///
    /// # Errors
    /// Bytes that are not such a value.
    fn read(slot: &mut Self::Slot, varint: bool, input: &mut &[u8]) -> Result<(), Damage>;
    /// The field once all occurrences are read.
    ///
    /// # Errors
    /// A required value that never came.
    fn finish(slot: Self::Slot, name: &'static str) -> Result<Self, Damage>;
    /// Adds the field to its record's JSON.
    fn show(&self, name: &str, members: &mut Object);
}

fn put_tagged<T: Wire>(value: &T, number: u64, out: &mut Vec<u8>) {
    put_varint(number << 3 | if T::VARINT { 0 } else { 2 }, out);
    if T::VARINT {
        value.put(out);
    } else {
        put_block(out, |out| value.put(out));
    }
}

fn read_one<T: Wire>(varint: bool, input: &mut &[u8]) -> Result<T, Damage> {
    match (T::VARINT, varint) {
        (true, true) => T::get(input),
        (false, false) => T::get(&mut get_block(input)?),
        _ => Err(Damage::Malformed("wire type")),
    }
}

impl<T: Wire> Field for T {
    type Slot = Option<T>;

    fn put_field(&self, number: u64, out: &mut Vec<u8>) {
        put_tagged(self, number, out);
    }

    fn read(slot: &mut Option<T>, varint: bool, input: &mut &[u8]) -> Result<(), Damage> {
        *slot = Some(read_one(varint, input)?);
        Ok(())
    }

    fn finish(slot: Option<T>, name: &'static str) -> Result<T, Damage> {
        slot.ok_or(Damage::Missing(name))
    }

    fn show(&self, name: &str, members: &mut Object) {
        members.insert(name.into(), self.to_value());
    }
}

impl<T: Wire> Field for Option<T> {
    type Slot = Option<T>;

    fn put_field(&self, number: u64, out: &mut Vec<u8>) {
        if let Some(value) = self {
            put_tagged(value, number, out);
        }
    }

    fn read(slot: &mut Option<T>, varint: bool, input: &mut &[u8]) -> Result<(), Damage> {
        *slot = Some(read_one(varint, input)?);
        Ok(())
    }

    fn finish(slot: Option<T>, _: &'static str) -> Result<Option<T>, Damage> {
        Ok(slot)
    }

    fn show(&self, name: &str, members: &mut Object) {
        if let Some(value) = self {
            members.insert(name.into(), value.to_value());
        }
    }
}

impl<T: Wire> Field for Vec<T> {
    type Slot = Vec<T>;

    fn put_field(&self, number: u64, out: &mut Vec<u8>) {
        self.iter().for_each(|value| put_tagged(value, number, out));
    }

    fn read(slot: &mut Vec<T>, varint: bool, input: &mut &[u8]) -> Result<(), Damage> {
        slot.push(read_one(varint, input)?);
        Ok(())
    }

    fn finish(slot: Vec<T>, _: &'static str) -> Result<Vec<T>, Damage> {
        Ok(slot)
    }

    fn show(&self, name: &str, members: &mut Object) {
        if !self.is_empty() {
            members.insert(
                name.into(),
                Value::array(self.iter().map(Wire::to_value).collect()),
            );
        }
    }
}

impl<T: Wire + Ord> Field for BTreeSet<T> {
    type Slot = BTreeSet<T>;

    fn put_field(&self, number: u64, out: &mut Vec<u8>) {
        self.iter().for_each(|value| put_tagged(value, number, out));
    }

    fn read(slot: &mut BTreeSet<T>, varint: bool, input: &mut &[u8]) -> Result<(), Damage> {
        slot.insert(read_one(varint, input)?);
        Ok(())
    }

    fn finish(slot: BTreeSet<T>, _: &'static str) -> Result<BTreeSet<T>, Damage> {
        Ok(slot)
    }

    fn show(&self, name: &str, members: &mut Object) {
        if !self.is_empty() {
            members.insert(
                name.into(),
                Value::array(self.iter().map(Wire::to_value).collect()),
            );
        }
    }
}

/// Skips a field that this release does not know.
pub(crate) fn skip(varint: bool, input: &mut &[u8]) -> Result<(), Damage> {
    if varint {
        get_varint(input).map(drop)
    } else {
        get_block(input).map(drop)
    }
}

/// Takes a field's number and whether a varint follows.
pub(crate) fn get_tag(input: &mut &[u8]) -> Result<(u64, bool), Damage> {
    let tag = get_varint(input)?;
    match tag & 7 {
        0 => Ok((tag >> 3, true)),
        2 => Ok((tag >> 3, false)),
        _ => Err(Damage::Malformed("wire type")),
    }
}

macro_rules! wire_number {
    ($($number:ty),*) => {$(
        impl Wire for $number {
            const VARINT: bool = true;
            fn put(&self, out: &mut Vec<u8>) {
                put_varint(u64::from(*self), out);
            }
            fn get(input: &mut &[u8]) -> Result<Self, Damage> {
                get_varint(input)?.try_into().map_err(|_| Damage::Malformed("number"))
            }
            fn to_value(&self) -> Value {
                i64::try_from(*self).map_or(Value::Null, Value::Int)
            }
        }
    )*};
}
wire_number!(u16, u32, u64);

impl Wire for bool {
    const VARINT: bool = true;

    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn get(input: &mut &[u8]) -> Result<bool, Damage> {
        Ok(get_varint(input)? != 0)
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Wire for Str {
    const VARINT: bool = false;

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }

    fn get(input: &mut &[u8]) -> Result<Str, Damage> {
        let text = core::str::from_utf8(input).map_err(|_| Damage::Malformed("text"))?;
        *input = &[];
        Ok(text.into())
    }

    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl<T: Wire> Wire for Box<T> {
    const VARINT: bool = T::VARINT;

    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }

    fn get(input: &mut &[u8]) -> Result<Box<T>, Damage> {
        T::get(input).map(Box::new)
    }

    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

/// Pairs in key order, each a block of key (field 1) and value (field 2): protobuf's map form.
impl<K: Wire + Ord, V: Wire> Field for BTreeMap<K, V> {
    type Slot = BTreeMap<K, V>;

    fn put_field(&self, number: u64, out: &mut Vec<u8>) {
        for (key, value) in self {
            put_varint(number << 3 | 2, out);
            put_block(out, |out| {
                put_tagged(key, 1, out);
                put_tagged(value, 2, out);
            });
        }
    }

    fn read(slot: &mut BTreeMap<K, V>, varint: bool, input: &mut &[u8]) -> Result<(), Damage> {
        if varint {
            return Err(Damage::Malformed("wire type"));
        }
        let mut entry = get_block(input)?;
        let (mut key, mut value) = (None, None);
        while !entry.is_empty() {
            match get_tag(&mut entry)? {
                (1, varint) => key = Some(read_one(varint, &mut entry)?),
                (2, varint) => value = Some(read_one(varint, &mut entry)?),
                (_, varint) => skip(varint, &mut entry)?,
            }
        }
        slot.insert(
            key.ok_or(Damage::Missing("key"))?,
            value.ok_or(Damage::Missing("value"))?,
        );
        Ok(())
    }

    fn finish(slot: BTreeMap<K, V>, _: &'static str) -> Result<BTreeMap<K, V>, Damage> {
        Ok(slot)
    }

    fn show(&self, name: &str, members: &mut Object) {
        if self.is_empty() {
            return;
        }
        let shown = self.iter().map(|(key, value)| {
            let key = match key.to_value() {
                Value::Text(text) => text,
                other => other.to_json().into(),
            };
            (key, value.to_value())
        });
        members.insert(name.into(), Value::object(shown.collect()));
    }
}

/// Data: a byte that says which kind, then its content. Arrays and objects hold blocks.
impl Wire for Value {
    const VARINT: bool = false;

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.push(0),
            Value::Bool(truth) => out.push(1 + u8::from(*truth)),
            Value::Int(number) => {
                out.push(3);
                put_varint(zigzag(*number), out);
            }
            Value::Float(number) => {
                out.push(4);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Value::Text(text) => {
                out.push(5);
                out.extend_from_slice(text.as_bytes());
            }
            Value::Array(elements) => {
                out.push(6);
                elements
                    .iter()
                    .for_each(|element| put_block(out, |out| element.put(out)));
            }
            Value::Object(members) => {
                out.push(7);
                for (key, value) in members.iter() {
                    put_block(out, |out| key.put(out));
                    put_block(out, |out| value.put(out));
                }
            }
        }
    }

    fn get(input: &mut &[u8]) -> Result<Value, Damage> {
        let value = get_value(input, DEPTH_READ_MAX)?;
        *input = &[];
        Ok(value)
    }

    fn to_value(&self) -> Value {
        self.clone()
    }
}

fn get_value(input: &[u8], depth_left: usize) -> Result<Value, Damage> {
    let (kind, mut rest) = input.split_first().ok_or(Damage::Short)?;
    if depth_left == 0 {
        return Err(Damage::Malformed("nesting"));
    }
    Ok(match kind {
        0 => Value::Null,
        1 => Value::Bool(false),
        2 => Value::Bool(true),
        3 => Value::Int(unzigzag(get_varint(&mut rest)?)),
        4 => {
            let number = f64::from_le_bytes(rest.try_into().map_err(|_| Damage::Short)?);
            if !number.is_finite() {
                return Err(Damage::Malformed("number"));
            }
            Value::Float(number)
        }
        5 => Value::Text(Str::get(&mut rest)?),
        6 => {
            let mut elements = Vec::new();
            while !rest.is_empty() {
                elements.push(get_value(get_block(&mut rest)?, depth_left - 1)?);
            }
            Value::Array(Arc::new(elements))
        }
        7 => {
            let mut members = Object::new();
            while !rest.is_empty() {
                let key = Str::get(&mut get_block(&mut rest)?)?;
                members.insert(key, get_value(get_block(&mut rest)?, depth_left - 1)?);
            }
            Value::Object(Arc::new(members))
        }
        _ => return Err(Damage::Malformed("kind of data")),
    })
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

/// Declares a struct together with the permanent numbers of its fields.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* $number:literal $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl $crate::codec::Wire for $name {
            const VARINT: bool = false;

            #[allow(unused_variables, reason = "a record may have no fields")]
            fn put(&self, out: &mut alloc::vec::Vec<u8>) {
                $($crate::codec::Field::put_field(&self.$field, $number, out);)*
            }

            fn get(input: &mut &[u8]) -> Result<Self, $crate::codec::Damage> {
                $(let mut $field = <$type as $crate::codec::Field>::Slot::default();)*
                while !input.is_empty() {
                    match $crate::codec::get_tag(input)? {
                        $(($number, varint) => <$type as $crate::codec::Field>::read(&mut $field, varint, input)?,)*
                        (_, varint) => $crate::codec::skip(varint, input)?,
                    }
                }
                Ok($name { $($field: <$type as $crate::codec::Field>::finish($field, stringify!($field))?,)* })
            }

            #[allow(unused_mut, reason = "a record may have no fields")]
            fn to_value(&self) -> graph::Value {
                let mut members = graph::Object::new();
                $($crate::codec::Field::show(&self.$field, stringify!($field), &mut members);)*
                graph::Value::object(members)
            }
        }
    };
}

/// Declares an enum of records together with the permanent numbers of its variants.
macro_rules! union {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $number:literal $variant:ident($type:ty),)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name { $($(#[$variant_meta])* $variant($type),)* }

        impl $name {
            /// The variant's name, as people see it.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $($name::$variant(_) => stringify!($variant),)* }
            }
        }

        impl $crate::codec::Wire for $name {
            const VARINT: bool = false;

            fn put(&self, out: &mut alloc::vec::Vec<u8>) {
                match self { $($name::$variant(content) => $crate::codec::Field::put_field(content, $number, out),)* }
            }

            fn get(input: &mut &[u8]) -> Result<Self, $crate::codec::Damage> {
                match $crate::codec::get_tag(input)? {
                    $(($number, varint) => {
                        let mut slot = <$type as $crate::codec::Field>::Slot::default();
                        <$type as $crate::codec::Field>::read(&mut slot, varint, input)?;
                        <$type as $crate::codec::Field>::finish(slot, stringify!($variant)).map($name::$variant)
                    })*
                    (number, _) => Err($crate::codec::Damage::Unknown(stringify!($name), number)),
                }
            }

            fn to_value(&self) -> graph::Value {
                match self { $($name::$variant(content) => $crate::codec::Wire::to_value(content),)* }
            }
        }
    };
}

/// Declares an enum of bare words together with their permanent numbers.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $number:literal $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_meta])* $variant,)* }

        impl $name {
            /// Every word.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word, as people and interfaces see it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// What a word means.
            #[must_use]
            pub fn from_word(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
        }

        impl $crate::codec::Wire for $name {
            const VARINT: bool = true;

            fn put(&self, out: &mut alloc::vec::Vec<u8>) {
                $crate::codec::put_varint(match self { $($name::$variant => $number,)* }, out);
            }

            fn get(input: &mut &[u8]) -> Result<Self, $crate::codec::Damage> {
                match $crate::codec::get_varint(input)? {
                    $($number => Ok($name::$variant),)*
                    number => Err($crate::codec::Damage::Unknown(stringify!($name), number)),
                }
            }

            fn to_value(&self) -> graph::Value {
                graph::Value::from(self.word())
            }
        }
    };
}

pub(crate) use {record, union, words};

/// The bytes of a value.
pub fn encode(value: &impl Wire) -> Vec<u8> {
    let mut out = Vec::with_capacity(ENCODED_BYTES);
    value.put(&mut out);
    out
}

/// The value that bytes stand for.
///
/// # Errors
/// Bytes that are not such a value.
pub fn decode<T: Wire>(mut bytes: &[u8]) -> Result<T, Damage> {
    T::get(&mut bytes)
}
