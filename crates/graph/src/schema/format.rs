//! Owns the formats of text that are checked; any other word is a remark.
//!
//! Invariant: a format costs time in proportion to the text.

/// A format that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Date,
    Time,
    Email,
    Uuid,
    Uri,
    Ipv4,
}

impl Format {
    /// The format of a word, if it is one that is checked.
    pub(super) fn of_word(word: &str) -> Option<Format> {
        Some(match word {
            "date-time" => Format::DateTime,
            "date" => Format::Date,
            "time" => Format::Time,
            "email" => Format::Email,
            "uuid" => Format::Uuid,
            "uri" => Format::Uri,
            "ipv4" => Format::Ipv4,
            _ => return None,
        })
    }

    /// What text of this format looks like.
    pub(super) fn example(self) -> &'static str {
        match self {
            Format::DateTime => "a date and time such as 2030-01-31T08:00:00Z",
            Format::Date => "a date such as 2030-01-31",
            Format::Time => "a time such as 08:00:00Z",
            Format::Email => "an address such as ann@example.org",
            Format::Uuid => "a UUID such as 0192f3c4-5d6e-7f80-91a2-b3c4d5e6f708",
            Format::Uri => "a URI such as https://example.org/a",
            Format::Ipv4 => "an IPv4 address such as 192.0.2.1",
        }
    }

    /// Whether a text is of this format.
    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Format::DateTime => text
                .split_once(['T', 't'])
                .is_some_and(|(date, time)| is_date(date) && is_time(time)),
            Format::Date => is_date(text),
            Format::Time => is_time(text),
            Format::Email => is_email(text),
            Format::Uuid => is_uuid(text),
            Format::Uri => is_uri(text),
            Format::Ipv4 => is_ipv4(text),
        }
    }
}

/// The number that exactly so many digits make.
fn digits(text: &str, count: usize) -> Option<u32> {
    let all = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let part = |text: Option<&str>, count| text.and_then(|text| digits(text, count));
    let (Some(year), Some(month), Some(day)) = (part(year, 4), part(month, 2), part(day, 2)) else {
        return false;
    };
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// `08:00:00.5Z` or with an offset such as `+01:00`.
fn is_time(text: &str) -> bool {
    let Some((clock, zone)) = text.split_at_checked(8) else {
        return false;
    };
    let mut parts = clock.split(':').map(|part| digits(part, 2));
    let (Some(Some(hour)), Some(Some(minute)), Some(Some(second)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let zone = match zone.strip_prefix('.') {
        Some(fraction) => {
            let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if rest.len() == fraction.len() {
                return false;
            }
            rest
        }
        None => zone,
    };
    let fits = hour < 24 && minute < 60 && second <= 60;
    let Some(offset) = zone.strip_prefix(['+', '-']) else {
        return fits && zone.eq_ignore_ascii_case("z");
    };
    let offset = offset.split_once(':');
    let offset = offset.and_then(|(hour, minute)| digits(hour, 2).zip(digits(minute, 2)));
    fits && offset.is_some_and(|(hour, minute)| hour < 24 && minute < 60)
}

fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let letters = |part: &str| {
        !part.is_empty()
            && !part
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || c == '@')
    };
    let dots = |part: &str| part.split('.').all(|label| !label.is_empty());
    let host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.');
    letters(name) && dots(name) && dots(domain) && domain.chars().all(host)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, b)| match place {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.chars();
    let named = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let plain = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '}' | '|')
    };
    named && !rest.is_empty() && rest.chars().all(plain)
}

fn is_ipv4(text: &str) -> bool {
    let part = |part: &str| {
        let plain = part == "0" || !part.starts_with('0');
        plain && (1..=3).contains(&part.len()) && digits(part, part.len()).is_some_and(|n| n < 256)
    };
    text.split('.').count() == 4 && text.split('.').all(part)
}
