//! Owns the lexer: jq source into tokens, one at a time.
//!
//! Invariant: never recursive and always moves forward. A string is only opened here; the parser reads
//! its inside piece by piece, because expressions may stand in it.

use alloc::format;
use alloc::string::String;

use super::error::SyntaxError;
use super::number;
use crate::value::Value;

/// One word of jq.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'s> {
    Number(Value),
    /// A name or keyword.
    Word(&'s str),
    /// `.name`
    Field(&'s str),
    /// `$name`
    Variable(&'s str),
    /// `@name`
    Format(&'s str),
    /// The `"` that opens a string.
    Quote,
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

/// A piece of the inside of a string.
pub(super) enum Piece {
    /// Text up to the closing quote.
    Last(String),
    /// Text up to `\(`.
    Hole(String),
}

/// Longest first, so that `|=` is not taken for `|`.
const SIGNS: [&str; 36] = [
    "?//=", "?//", "//=", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "//", "..",
    "|", ",", "=", "<", ">", "+", "-", "*", "/", "%", ".", "[", "]", "(", ")", "{", "}", ":", ";",
    "?", "$",
];

/// Reads tokens.
pub(super) struct Lexer<'s> {
    source: &'s str,
    pub(super) position: usize,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Lexer<'s> {
        Lexer {
            source,
            position: 0,
        }
    }

    /// The line of an offset, from 1.
    pub(super) fn line_of(&self, offset: usize) -> i64 {
        self.source
            .bytes()
            .take(offset)
            .filter(|b| *b == b'\n')
            .fold(1, |lines, _| lines + 1)
    }

    fn rest(&self) -> &'s str {
        &self.source[self.position..]
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.position += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.position += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    /// The next token and where it starts.
    pub(super) fn next(&mut self) -> Result<(Token<'s>, usize), SyntaxError> {
        self.skip_space();
        let start = self.position;
        let rest = self.rest();
        let mut chars = rest.chars();
        let first = chars.next();
        let second = chars.next();
        let token = match first {
            None => Token::End,
            Some('"') => {
                self.position += 1;
                Token::Quote
            }
            Some('.') if second.is_some_and(starts_name) => {
                self.position += 1;
                Token::Field(self.name(false))
            }
            Some('$') if second.is_some_and(starts_name) => {
                self.position += 1;
                Token::Variable(self.name(true))
            }
            Some('@') if second.is_some_and(starts_name) => {
                self.position += 1;
                Token::Format(self.name(false))
            }
            Some(c) if starts_name(c) => Token::Word(self.name(true)),
            Some(c)
                if c.is_ascii_digit()
                    || (c == '.' && second.is_some_and(|d| d.is_ascii_digit())) =>
            {
                self.number()?
            }
            Some(c) => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => {
                    self.position += sign.len();
                    Token::Sign(sign)
                }
                None => {
                    return Err(SyntaxError {
                        message: format!(
                            "character {c:?} has no meaning here\ntext stands in double quotes"
                        ),
                        offset: start,
                    });
                }
            },
        };
        Ok((token, start))
    }

    fn name(&mut self, modules: bool) -> &'s str {
        let rest = self.rest();
        let mut length = 0;
        loop {
            length += rest[length..]
                .bytes()
                .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                .count();
            let more = rest[length..].strip_prefix("::");
            if !modules || !more.is_some_and(|more| more.starts_with(starts_name)) {
                break;
            }
            length += 2;
        }
        self.position += length;
        &rest[..length]
    }

    fn number(&mut self) -> Result<Token<'s>, SyntaxError> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |from: usize| {
            bytes[from..]
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count()
        };
        let mut length = digits(0);
        if bytes.get(length) == Some(&b'.') {
            length += 1;
            length += digits(length);
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits((length + 1 + sign).min(bytes.len()));
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let value = number::parse(&rest[..length]).ok_or_else(|| SyntaxError {
            message: format!("{} is not a number", &rest[..length]),
            offset: self.position,
        })?;
        self.position += length;
        Ok(Token::Number(value))
    }

    /// Reads the inside of a string from here to its end or to the next `\(`.
    pub(super) fn piece(&mut self) -> Result<Piece, SyntaxError> {
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let Some(c) = rest.chars().next() else {
                return Err(self.error("the string is not closed\nadd the missing `\"`"));
            };
            self.position += c.len_utf8();
            match c {
                '"' => return Ok(Piece::Last(text)),
                '\\' => {
                    let Some(escape) = self.rest().chars().next() else {
                        continue;
                    };
                    self.position += escape.len_utf8();
                    match escape {
                        '(' => return Ok(Piece::Hole(text)),
                        'u' => text.push(self.unicode()?),
                        _ => text.push(self.escape(escape)?),
                    }
                }
                _ => text.push(c),
            }
        }
    }

    fn escape(&self, escape: char) -> Result<char, SyntaxError> {
        Ok(match escape {
            '"' | '\\' | '/' => escape,
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            _ => {
                return Err(self.error(&format!(
                    "`\\{escape}` is not an escape\nwrite a backslash as `\\\\`"
                )));
            }
        })
    }

    fn unicode(&mut self) -> Result<char, SyntaxError> {
        let high = self.hex()?;
        let code = if (0xD800..0xDC00).contains(&high) && self.rest().starts_with("\\u") {
            self.position += 2;
            let low = self.hex()?;
            0x10000 + ((high - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF)
        } else {
            high
        };
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, SyntaxError> {
        let code = self
            .rest()
            .get(..4)
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()) {
            Some(code) => {
                self.position += 4;
                Ok(code)
            }
            None => Err(self.error("`\\u` needs four hexadecimal digits")),
        }
    }

    fn error(&self, message: &str) -> SyntaxError {
        SyntaxError {
            message: message.into(),
            offset: self.position,
        }
    }
}

fn starts_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}
