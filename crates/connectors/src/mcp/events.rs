//! Owns [`Events`]: a stream of server-sent events as it comes, byte by byte.
//!
//! Invariant: no more is kept of an event than its bound.

use std::time::Duration;

use reqwest::header::HeaderValue;

use super::message::MESSAGE_BYTES_MAX;

/// The longest name of an event that is kept to read on behind it.
const ID_BYTES_MAX: usize = 1 << 10;

/// What has come of a stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    after_return: bool,
    data: Vec<u8>,
    /// Whether the event is of a kind of its own, which is none of ours.
    foreign: bool,
    id: Option<HeaderValue>,
    /// The last event that came whole, if the server names its events.
    pub(super) last: Option<HeaderValue>,
    /// How long the server wants to be left alone before it is asked for what comes next.
    pub(super) pause: Option<Duration>,
}

/// An event that is too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Events {
    /// Takes the next byte: the data of the event that it ends, if it ends one.
    pub(super) fn byte(&mut self, byte: u8) -> Result<Option<Vec<u8>>, TooLong> {
        let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
        match byte {
            b'\n' if after_return => Ok(None),
            b'\n' | b'\r' => Ok(self.ended()),
            _ if self.line.len() + self.data.len() >= MESSAGE_BYTES_MAX => Err(TooLong),
            _ => {
                self.line.push(byte);
                Ok(None)
            }
        }
    }

    /// What is known of the stream that goes on behind the last whole event.
    pub(super) fn resumed(self) -> Events {
        Events {
            id: self.last.clone(),
            last: self.last,
            pause: self.pause,
            ..Events::default()
        }
    }

    /// A line has ended; an empty one ends its event.
    fn ended(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            self.last.clone_from(&self.id);
            let data = std::mem::take(&mut self.data);
            let foreign = std::mem::take(&mut self.foreign);
            return Some(data).filter(|data| !data.is_empty() && !foreign);
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"event" => self.foreign = !matches!(value, b"" | b"message"),
            b"id" => {
                let fits = (1..=ID_BYTES_MAX).contains(&value.len());
                self.id = HeaderValue::from_bytes(value).ok().filter(|_| fits);
            }
            b"retry" => {
                let ms = std::str::from_utf8(value)
                    .ok()
                    .and_then(|ms| ms.parse().ok());
                self.pause = ms.map(Duration::from_millis).or(self.pause);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Events) {
        let mut events = Events::default();
        let data = text.bytes().filter_map(|byte| events.byte(byte).unwrap());
        let data = data.map(|data| String::from_utf8(data).unwrap()).collect();
        (data, events)
    }

    #[test]
    fn events_are_read_however_their_lines_end() {
        for end in ["\n", "\r", "\r\n"] {
            let text = ": a remark\nevent: message\nid: 7\ndata: a\ndata:b\n\nid: 8\ndata\n\nevent: other\ndata: c\n\n\
                retry: 20\nretry: soon\ndata: d\n\nid: 9\ndata: cut short\n";
            let (data, events) = read(&text.replace('\n', end));
            assert_eq!(data, ["a\nb", "d"], "{end:?}");
            assert_eq!(events.last.unwrap(), "8");
            assert_eq!(events.pause, Some(Duration::from_millis(20)));
        }
    }

    #[test]
    fn an_event_has_a_bound_in_one_line_or_many() {
        for line in [
            "x".repeat(MESSAGE_BYTES_MAX + 1),
            "data: xxxx\n".repeat(MESSAGE_BYTES_MAX / 4),
        ] {
            let mut events = Events::default();
            let mut all = line.bytes().map(|byte| events.byte(byte));
            assert!(all.any(|taken| taken == Err(TooLong)));
        }
    }
}
