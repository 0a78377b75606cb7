//! Owns broken down times, `[year, month from 0, day, hour, minute, second, weekday, day of the year]`, and their
//! texts in formats such as `%Y-%m-%d`.
//!
//! Invariants: always UTC and in English; years 1 to 9999 only; a text is charged before it is made.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use super::budget::Budget;
use super::error::Stop;
use super::function::Strict;
use super::time::{DAY_SECONDS, SECONDS_MAX, SECONDS_MIN, date, days};
use super::{number, order};
use crate::value::Value;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// The letters of a name that is cut short.
const SHORT: usize = 3;

/// The most bytes that one conversion makes.
const CONVERTED_BYTES_MAX: usize = 32;

/// Where a year may lie before the other parts are added.
const YEAR_MIN: i64 = -10_000;
const YEAR_MAX: i64 = 20_000;

/// The largest part of a broken down time, so that none overflows.
const PART_MAX: i64 = 1_000_000_000_000;

/// An instant, taken apart.
struct Broken {
    seconds: i64,
    year: i64,
    /// From 1.
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// From 0, which is Sunday.
    weekday: i64,
    /// From 0.
    year_day: i64,
}

impl Broken {
    fn of(seconds: i64) -> Option<Broken> {
        if !(SECONDS_MIN..=SECONDS_MAX).contains(&seconds) {
            return None;
        }
        let (today, of_day) = (
            seconds.div_euclid(DAY_SECONDS),
            seconds.rem_euclid(DAY_SECONDS),
        );
        let (year, month, day) = date(today);
        Some(Broken {
            seconds,
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            weekday: (today + 4).rem_euclid(7),
            year_day: today - days(year, 1, 1),
        })
    }

    /// From seconds since 1970, or from a broken down time, whose parts may be beyond their ranges.
    fn read(name: &str, value: &Value) -> Result<Broken, Stop> {
        let wrong = || {
            Stop::failed(format!(
                "{name} needs seconds since 1970 or a broken down time of the years 1 to 9999, not {}",
                order::shown(value)
            ))
        };
        let part = |value: &Value| {
            number::whole(value).filter(|part| (-PART_MAX..=PART_MAX).contains(part))
        };
        let seconds = match value {
            Value::Array(parts) if parts.len() >= 6 => {
                let mut whole = [0; 6];
                for (whole, value) in whole.iter_mut().zip(parts.iter()) {
                    *whole = part(value).ok_or_else(wrong)?;
                }
                let [year, month, day, hour, minute, second] = whole;
                let year = year.saturating_add(month.div_euclid(12));
                if !(YEAR_MIN..=YEAR_MAX).contains(&year) {
                    return Err(wrong());
                }
                let start = days(year, month.rem_euclid(12) + 1, 1) + day - 1;
                start * DAY_SECONDS + hour * 3600 + minute * 60 + second
            }
            _ => part(value).ok_or_else(wrong)?,
        };
        Broken::of(seconds).ok_or_else(wrong)
    }

    /// With a second that keeps its fraction.
    fn value(&self, fraction: f64) -> Value {
        let whole = [self.year, self.month - 1, self.day, self.hour, self.minute].map(Value::Int);
        let second = match fraction {
            0.0 => Value::Int(self.second),
            _ => number::value(self.second as f64 + fraction),
        };
        let rest = [second, Value::Int(self.weekday), Value::Int(self.year_day)];
        Value::array(whole.into_iter().chain(rest).collect())
    }

    /// The number of the week whose first day is this weekday, the days before the first one being week 0.
    fn week(&self, first: i64) -> i64 {
        (self.year_day + 7 - (self.weekday - first).rem_euclid(7)) / 7
    }

    /// Year and week of ISO 8601: weeks begin on Monday, and the first one holds the first Thursday.
    fn iso_week(&self) -> (i64, i64) {
        let thursday = self.seconds.div_euclid(DAY_SECONDS) + 3 - (self.weekday + 6) % 7;
        let (year, _, _) = date(thursday);
        (year, (thursday - days(year, 1, 1)) / 7 + 1)
    }

    fn write(&self, conversion: char, text: &mut String) -> Result<(), Stop> {
        let hour_12 = (self.hour + 11) % 12 + 1;
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let (weekday, month) = (
            WEEKDAYS[self.weekday.unsigned_abs() as usize % 7],
            MONTHS[(self.month - 1).unsigned_abs() as usize % 12],
        );
        let written = match conversion {
            'Y' => write!(text, "{}", self.year),
            'C' => write!(text, "{:02}", self.year / 100),
            'y' => write!(text, "{:02}", self.year % 100),
            'G' => write!(text, "{}", self.iso_week().0),
            'g' => write!(text, "{:02}", self.iso_week().0 % 100),
            'm' => write!(text, "{:02}", self.month),
            'd' => write!(text, "{:02}", self.day),
            'e' => write!(text, "{:2}", self.day),
            'j' => write!(text, "{:03}", self.year_day + 1),
            'H' => write!(text, "{:02}", self.hour),
            'k' => write!(text, "{:2}", self.hour),
            'I' => write!(text, "{hour_12:02}"),
            'l' => write!(text, "{hour_12:2}"),
            'M' => write!(text, "{:02}", self.minute),
            'S' => write!(text, "{:02}", self.second),
            'p' => text.write_str(half),
            'P' => text.write_str(&half.to_ascii_lowercase()),
            'A' => text.write_str(weekday),
            'a' => text.write_str(&weekday[..SHORT]),
            'B' => text.write_str(month),
            'b' | 'h' => text.write_str(&month[..SHORT]),
            'u' => write!(text, "{}", (self.weekday + 6) % 7 + 1),
            'w' => write!(text, "{}", self.weekday),
            'U' => write!(text, "{:02}", self.week(0)),
            'W' => write!(text, "{:02}", self.week(1)),
            'V' => write!(text, "{:02}", self.iso_week().1),
            's' => write!(text, "{}", self.seconds),
            'Z' => text.write_str("UTC"),
            'z' => text.write_str("+0000"),
            'n' => text.write_str("\n"),
            't' => text.write_str("\t"),
            '%' => text.write_str("%"),
            _ => return Err(unknown(conversion)),
        };
        written.map_err(|_| Stop::failed("the time cannot be written"))
    }
}

fn unknown(conversion: char) -> Stop {
    Stop::failed(format!("%{conversion} means nothing in a format of times"))
}

/// The conversions that stand for others.
fn long(conversion: char) -> Option<&'static str> {
    Some(match conversion {
        'T' | 'X' => "%H:%M:%S",
        'D' | 'x' => "%m/%d/%y",
        'F' => "%Y-%m-%d",
        'R' => "%H:%M",
        'r' => "%I:%M:%S %p",
        'c' => "%a %b %e %H:%M:%S %Y",
        _ => return None,
    })
}

/// Goes through a format: each conversion by its letter, and each other character as it stands.
fn each_part(
    format: &str,
    budget: &Budget,
    part: &mut dyn FnMut(Result<char, char>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        budget.work(1)?;
        if letter != '%' {
            part(Err(letter))?;
            continue;
        }
        let conversion = letters
            .next()
            .ok_or_else(|| Stop::failed("the format of times ends in %; write %% for it"))?;
        match long(conversion) {
            Some(long) => each_part(long, budget, part)?,
            None => part(Ok(conversion))?,
        }
    }
    Ok(())
}

fn strftime(value: &Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let format = super::text::text("strftime", &arguments[0])?;
    let broken = Broken::read("strftime", value)?;
    let mut text = String::new();
    each_part(format, budget, &mut |part| {
        budget.alloc(CONVERTED_BYTES_MAX)?;
        match part {
            Ok(conversion) => broken.write(conversion, &mut text),
            Err(letter) => {
                text.push(letter);
                Ok(())
            }
        }
    })?;
    Ok(Value::text(text))
}

fn gmtime(value: &Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    budget.alloc(8 * size_of::<Value>())?;
    let fraction = match value {
        Value::Float(seconds) => *seconds - libm::floor(*seconds),
        Value::Array(_) => {
            return Err(Stop::failed(
                "gmtime needs seconds since 1970, not an array",
            ));
        }
        _ => 0.0,
    };
    Ok(Broken::read("gmtime", value)?.value(fraction))
}

fn mktime(value: &Value, _: &[Value], _: &Budget) -> Result<Value, Stop> {
    if !matches!(value, Value::Array(_)) {
        return Err(Stop::failed(format!(
            "mktime needs a broken down time, not {}",
            order::shown(value)
        )));
    }
    Ok(Value::Int(Broken::read("mktime", value)?.seconds))
}

/// What a text has said of an instant so far.
struct Reading<'t> {
    rest: &'t str,
    year: i64,
    month: i64,
    day: i64,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    afternoon: Option<bool>,
    offset: i64,
    seconds: Option<i64>,
}

impl Reading<'_> {
    /// A number of at most so many digits.
    fn number(&mut self, digits_max: usize) -> Option<i64> {
        let digits = self.rest.bytes().take(digits_max);
        let count = digits.take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits.parse().ok()
    }

    /// One of these names, in full or short, in any case; its position.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        let starts = |name: &str| {
            let start = self.rest.get(..name.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        let (index, length) = names.iter().enumerate().find_map(|(index, name)| {
            let forms = [*name, &name[..SHORT.min(name.len())]];
            let found = forms.into_iter().find(|form| starts(form))?;
            Some((index, found.len()))
        })?;
        self.rest = &self.rest[length..];
        i64::try_from(index).ok()
    }

    /// `Z`, `+0100` or `-01:00`, in seconds.
    fn zone(&mut self) -> Option<i64> {
        if let Some(rest) = self.rest.strip_prefix(['Z', 'z']) {
            self.rest = rest;
            return Some(0);
        }
        let sign = if self.rest.starts_with('-') { -1 } else { 1 };
        self.rest = self.rest.strip_prefix(['+', '-'])?;
        let hours = self.number(2)?;
        self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
        Some(sign * (hours * 3600 + self.number(2)? * 60))
    }

    fn read(&mut self, conversion: char) -> Result<Option<()>, Stop> {
        let within = |number: Option<i64>, least: i64, most: i64| {
            number.filter(|number| (least..=most).contains(number))
        };
        // A number may have been padded by a space.
        if matches!(conversion, 'e' | 'k' | 'l') {
            self.rest = self.rest.trim_start_matches(' ');
        }
        let read = match conversion {
            'Y' => within(self.number(4), 1, 9999).map(|year| self.year = year),
            'y' => self
                .number(2)
                .map(|year| self.year = if year < 69 { 2000 } else { 1900 } + year),
            'm' => within(self.number(2), 1, 12).map(|month| self.month = month),
            'B' | 'b' | 'h' => self.name(&MONTHS).map(|month| self.month = month + 1),
            'd' | 'e' => within(self.number(2), 1, 31).map(|day| self.day = day),
            'j' => within(self.number(3), 1, 366).map(|day| self.year_day = Some(day)),
            'H' | 'k' => within(self.number(2), 0, 23).map(|hour| self.hour = hour),
            'I' | 'l' => within(self.number(2), 1, 12).map(|hour| self.hour = hour % 12),
            'M' => within(self.number(2), 0, 59).map(|minute| self.minute = minute),
            'S' => within(self.number(2), 0, 60).map(|second| self.second = second),
            'p' | 'P' => self
                .name(&["AM", "PM"])
                .map(|half| self.afternoon = Some(half == 1)),
            'A' | 'a' => self.name(&WEEKDAYS).map(|_| ()),
            'u' | 'w' => self.number(1).map(|_| ()),
            's' => self.number(12).map(|seconds| self.seconds = Some(seconds)),
            'Z' => self.name(&["UTC", "GMT", "Z"]).map(|_| ()),
            'z' => self.zone().map(|offset| self.offset = offset),
            'n' | 't' => {
                self.rest = self.rest.trim_start();
                Some(())
            }
            '%' => self.literal('%'),
            _ => return Err(unknown(conversion)),
        };
        Ok(read)
    }

    fn literal(&mut self, letter: char) -> Option<()> {
        self.rest = if letter.is_whitespace() {
            self.rest.trim_start()
        } else {
            self.rest.strip_prefix(letter)?
        };
        Some(())
    }

    /// The instant, if the parts are a date that exists.
    fn seconds(&self) -> Option<i64> {
        if self.seconds.is_some() {
            return self.seconds;
        }
        let start = match self.year_day {
            Some(day) => days(self.year, 1, 1) + day - 1,
            None => days(self.year, self.month, self.day),
        };
        let (year, month, day) = date(start);
        let exists = match self.year_day {
            Some(_) => year == self.year,
            None => (year, month, day) == (self.year, self.month, self.day),
        };
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            _ => self.hour,
        };
        let of_day = hour * 3600 + self.minute * 60 + self.second;
        exists.then(|| start * DAY_SECONDS + of_day - self.offset)
    }
}

fn strptime(value: &Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let text = super::text::text("strptime", value)?;
    let format = super::text::text("strptime", &arguments[0])?;
    let wrong = || {
        Stop::failed(format!(
            "{} is not a time in the format {}",
            order::shown(value),
            order::shown(&arguments[0])
        ))
    };
    let mut reading = Reading {
        rest: text,
        year: 1970,
        month: 1,
        day: 1,
        year_day: None,
        hour: 0,
        minute: 0,
        second: 0,
        afternoon: None,
        offset: 0,
        seconds: None,
    };
    each_part(format, budget, &mut |part| {
        let read = match part {
            Ok(conversion) => reading.read(conversion)?,
            Err(letter) => reading.literal(letter),
        };
        read.ok_or_else(wrong)
    })?;
    let whole = reading.rest.is_empty().then(|| reading.seconds());
    let broken = whole.flatten().and_then(Broken::of).ok_or_else(wrong)?;
    budget.alloc(8 * size_of::<Value>())?;
    Ok(broken.value(0.0))
}

/// The functions of broken down times.
pub(super) const FUNCTIONS: &[Strict] = &[
    Strict {
        name: "gmtime",
        arity: 0,
        run: |v, a, b| gmtime(&v, a, b),
    },
    Strict {
        name: "mktime",
        arity: 0,
        run: |v, a, b| mktime(&v, a, b),
    },
    Strict {
        name: "strftime",
        arity: 1,
        run: |v, a, b| strftime(&v, a, b),
    },
    Strict {
        name: "strptime",
        arity: 1,
        run: |v, a, b| strptime(&v, a, b),
    },
];
