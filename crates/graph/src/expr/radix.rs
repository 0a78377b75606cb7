//! Owns bytes as text of few letters: `@base64`, `@base32` and `@uri`, and their ways back.
//!
//! Invariant: what these functions make of bytes, they read back as the same bytes; callers charge the text.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Letters, each of which stands for so many bits.
pub(super) struct Alphabet {
    letters: &'static [u8],
    bits: u32,
    /// Letters that stand for whole bytes.
    block: usize,
}

pub(super) const BASE64: Alphabet = Alphabet {
    letters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    bits: 6,
    block: 4,
};

pub(super) const BASE32: Alphabet = Alphabet {
    letters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    bits: 5,
    block: 8,
};

impl Alphabet {
    pub(super) fn encode(&self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len() * 8 / self.bits as usize + self.block);
        let (mut held, mut count) = (0_u32, 0);
        let letter = |held: u32| char::from(self.letters[held as usize & (self.letters.len() - 1)]);
        for byte in bytes {
            held = held << 8 | u32::from(*byte);
            count += 8;
            while count >= self.bits {
                count -= self.bits;
                text.push(letter(held >> count));
            }
        }
        if count > 0 {
            text.push(letter(held << (self.bits - count)));
        }
        while !text.len().is_multiple_of(self.block) {
            text.push('=');
        }
        text
    }

    /// The bytes that a text stands for, with or without its padding.
    pub(super) fn decode(&self, text: &str) -> Option<Vec<u8>> {
        let digits = text.trim_end_matches('=');
        let mut bytes = Vec::with_capacity(digits.len());
        let (mut held, mut count) = (0_u32, 0);
        for digit in digits.bytes() {
            let value = self.letters.iter().position(|known| *known == digit)?;
            held = held << self.bits | u32::try_from(value).ok()?;
            count += self.bits;
            if count >= 8 {
                count -= 8;
                bytes.push(u8::try_from(held >> count & 0xff).ok()?);
            }
        }
        // A letter that adds to no byte means that the end is missing.
        (count < self.bits).then_some(bytes)
    }
}

/// A text in which every byte is percent-encoded that is not unreserved in a URI.
pub(super) fn percent(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The bytes of a text that is percent-encoded.
pub(super) fn unpercent(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (code, after) = rest.split_at_checked(2)?;
        let digit = |at: usize| char::from(code[at]).to_digit(16);
        bytes.push(u8::try_from(digit(0)? * 16 + digit(1)?).ok()?);
        rest = after;
    }
    Some(bytes)
}
