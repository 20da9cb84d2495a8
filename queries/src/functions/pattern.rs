//! Java's date patterns (`yyyy-MM-dd HH:mm:ss.SSS`), as Flink's functions take them: compiled once,
//! then used to read or write many timestamps.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    /// A number, with at least this many digits.
    Number(Field, usize),
    /// `MMM` or `MMMM`: the month's English name, short or long.
    MonthName(bool),
    /// `E…`: the day's English name, short or long.
    DayName(bool),
    /// `a`: AM or PM.
    HalfDay,
    /// Digits after the second's point.
    Fraction(usize),
    /// `X`, `Z`: the distance to UTC.
    Offset,
    /// This text.
    Text(String),
}

/// What a number in a pattern counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Year,
    Month,
    Day,
    DayOfYear,
    Hour,
    HalfDayHour,
    Minute,
    Second,
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Item>);

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// The letter that is not supported, or what is wrong with the quotes.
    pub fn compile(pattern: &str) -> Result<Pattern, String> {
        let letters: Vec<char> = pattern.chars().collect();
        let (mut items, mut at) = (Vec::new(), 0);
        while at < letters.len() {
            let letter = letters[at];
            let run = letters[at..].iter().take_while(|other| **other == letter).count();
            if letter == '\'' {
                at += quoted(&letters[at..], &mut items)?;
            } else if letter.is_ascii_alphabetic() {
                items.push(field(letter, run)?);
                at += run;
            } else {
                text(&mut items, letter);
                at += 1;
            }
        }
        Ok(Pattern(items))
    }

    /// Writes a time.
    pub fn format(&self, time: NaiveDateTime, out: &mut String) {
        for item in &self.0 {
            format_item(item, time, out);
        }
    }

    /// Reads a time and its distance to UTC in seconds, if the pattern has one, from the start of a
    /// text; what is behind does not matter.
    pub fn parse_start(&self, text: &str) -> Option<(NaiveDateTime, Option<i32>)> {
        let (found, _) = self.read(text)?;
        let offset = found.offset;
        Some((found.time()?, offset))
    }

    fn read<'a>(&self, text: &'a str) -> Option<(Found, &'a str)> {
        let mut found = Found::default();
        let mut rest = text;
        for (at, item) in self.0.iter().enumerate() {
            let adjacent = matches!(self.0.get(at + 1), Some(Item::Number(..) | Item::Fraction(_)));
            rest = found.read(item, adjacent, rest)?;
        }
        Some((found, rest))
    }

    /// Reads a time; `None` if the text is not of this pattern or no such time exists. Fields that
    /// the pattern does not have are the first of their kind.
    pub fn parse(&self, text: &str) -> Option<NaiveDateTime> {
        let (found, rest) = self.read(text)?;
        rest.is_empty().then_some(())?;
        found.time()
    }
}

fn text(items: &mut Vec<Item>, letter: char) {
    if let Some(Item::Text(text)) = items.last_mut() {
        text.push(letter);
    } else {
        items.push(Item::Text(letter.to_string()));
    }
}

/// Reads `'text'` or `''`; returns the letters used.
fn quoted(letters: &[char], items: &mut Vec<Item>) -> Result<usize, String> {
    if letters.get(1) == Some(&'\'') {
        text(items, '\'');
        return Ok(2);
    }
    let mut at = 1;
    loop {
        match (letters.get(at), letters.get(at + 1)) {
            (Some('\''), Some('\'')) => {
                text(items, '\'');
                at += 2;
            }
            (Some('\''), _) => return Ok(at + 1),
            (Some(letter), _) => {
                text(items, *letter);
                at += 1;
            }
            (None, _) => return Err("a quote in the pattern is not closed".to_owned()),
        }
    }
}

fn field(letter: char, run: usize) -> Result<Item, String> {
    Ok(match letter {
        'y' | 'u' => Item::Number(Field::Year, run),
        'M' | 'L' if run >= 3 => Item::MonthName(run > 3),
        'M' | 'L' => Item::Number(Field::Month, run),
        'd' => Item::Number(Field::Day, run),
        'D' => Item::Number(Field::DayOfYear, run),
        'H' => Item::Number(Field::Hour, run),
        'h' => Item::Number(Field::HalfDayHour, run),
        'm' => Item::Number(Field::Minute, run),
        's' => Item::Number(Field::Second, run),
        'S' => Item::Fraction(run),
        'E' => Item::DayName(run > 3),
        'a' => Item::HalfDay,
        'X' | 'x' | 'Z' => Item::Offset,
        other => return Err(format!("the pattern letter `{other}` is not supported")),
    })
}

fn format_item(item: &Item, time: NaiveDateTime, out: &mut String) {
    let name =
        |long, short: &str, full: &str| time.format(if long { full } else { short }).to_string();
    match item {
        Item::Text(text) => out.push_str(text),
        Item::MonthName(long) => out.push_str(&name(*long, "%b", "%B")),
        Item::DayName(long) => out.push_str(&name(*long, "%a", "%A")),
        // What is shown is a wall clock, of no zone.
        Item::Offset => {}
        Item::HalfDay => out.push_str(if time.hour() < 12 { "AM" } else { "PM" }),
        Item::Fraction(digits) => {
            let nanos = format!("{:09}", time.nanosecond() % 1_000_000_000);
            out.push_str(&nanos[..(*digits).min(9)]);
        }
        Item::Number(kind, digits) => {
            let number = match kind {
                Field::Year if *digits == 2 => i64::from(time.year() % 100),
                Field::Year => i64::from(time.year()),
                Field::Month => i64::from(time.month()),
                Field::Day => i64::from(time.day()),
                Field::DayOfYear => i64::from(time.ordinal()),
                Field::Hour => i64::from(time.hour()),
                Field::HalfDayHour => i64::from(time.hour12().1),
                Field::Minute => i64::from(time.minute()),
                Field::Second => i64::from(time.second()),
            };
            write!(out, "{number:0digits$}").expect("a String takes all that is written");
        }
    }
}

/// What was read so far.
struct Found {
    year: i32,
    month: u32,
    day: u32,
    day_of_year: Option<u32>,
    hour: u32,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    nanos: u32,
    offset: Option<i32>,
}

impl Default for Found {
    fn default() -> Self {
        Found {
            year: 1970,
            month: 1,
            day: 1,
            day_of_year: None,
            hour: 0,
            afternoon: None,
            minute: 0,
            second: 0,
            nanos: 0,
            offset: None,
        }
    }
}

impl Found {
    /// Reads one item; returns what is left of the text.
    fn read<'a>(&mut self, item: &Item, adjacent: bool, text: &'a str) -> Option<&'a str> {
        match item {
            Item::Text(expected) => text.strip_prefix(expected.as_str()),
            Item::Number(kind, digits) => {
                // A number next to another has no end of its own but its width.
                let most = if adjacent { *digits } else { (*digits).max(most_digits(*kind)) };
                let (number, rest) = number(text, *digits, most)?;
                self.set(*kind, *digits, number)?;
                Some(rest)
            }
            Item::Fraction(digits) => {
                let (number, rest) = number(text, *digits, *digits)?;
                let digits = u32::try_from(*digits).ok().filter(|digits| *digits <= 9)?;
                self.nanos = number.checked_mul(10_u32.pow(9 - digits))?;
                Some(rest)
            }
            Item::Offset => {
                let (offset, rest) = offset(text)?;
                self.offset = Some(offset);
                Some(rest)
            }
            Item::HalfDay => {
                let half = text.get(..2)?.to_ascii_uppercase();
                self.afternoon = Some(match half.as_str() {
                    "AM" => false,
                    "PM" => true,
                    _ => return None,
                });
                Some(&text[2..])
            }
            Item::MonthName(_) => {
                let letters = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
                let month: chrono::Month = text[..letters].parse().ok()?;
                self.month = month.number_from_month();
                Some(&text[letters..])
            }
            Item::DayName(_) => {
                let letters = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
                text[..letters].parse::<chrono::Weekday>().ok()?;
                Some(&text[letters..])
            }
        }
    }

    fn set(&mut self, kind: Field, digits: usize, number: u32) -> Option<()> {
        match kind {
            Field::Year if digits == 2 => self.year = 2000 + i32::try_from(number).ok()?,
            Field::Year => self.year = i32::try_from(number).ok()?,
            Field::Month => self.month = number,
            Field::Day => self.day = number,
            Field::DayOfYear => self.day_of_year = Some(number),
            Field::Hour => self.hour = number,
            Field::HalfDayHour => self.hour = number % 12,
            Field::Minute => self.minute = number,
            Field::Second => self.second = number,
        }
        Some(())
    }

    fn time(self) -> Option<NaiveDateTime> {
        let date = match self.day_of_year {
            Some(day) => NaiveDate::from_yo_opt(self.year, day)?,
            None => NaiveDate::from_ymd_opt(self.year, self.month, self.day)?,
        };
        let hour = if self.afternoon == Some(true) { self.hour + 12 } else { self.hour };
        Some(date.and_time(NaiveTime::from_hms_nano_opt(
            hour,
            self.minute,
            self.second,
            self.nanos,
        )?))
    }
}

/// `Z`, `+08`, `+0800` or `+08:00` in seconds.
fn offset(text: &str) -> Option<(i32, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, rest) = number(&text[1..], 2, 2)?;
    let (minutes, rest) = number(rest.strip_prefix(':').unwrap_or(rest), 2, 2).unwrap_or((0, rest));
    Some((sign * i32::try_from(hours * 3600 + minutes * 60).ok()?, rest))
}

fn most_digits(kind: Field) -> usize {
    match kind {
        Field::Year => 4,
        Field::DayOfYear => 3,
        _ => 2,
    }
}

fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if digits < least {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// Reads Flink's standard form: `2020-04-15 08:00:05.123`, where the time of day, leading zeros
/// and the fraction may be missing and `T` may stand for the space.
pub fn parse_standard(text: &str) -> Option<NaiveDateTime> {
    let (year, rest) = number(text.trim(), 1, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 1, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 1, 2)?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let Some(rest) = rest.strip_prefix([' ', 'T']) else {
        return rest.is_empty().then_some(date.and_time(NaiveTime::MIN));
    };
    let (hour, rest) = number(rest, 1, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 1, 2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => number(rest, 1, 2)?,
        None => (0, rest),
    };
    let nanos = match rest.strip_prefix('.') {
        None if rest.is_empty() => 0,
        None => return None,
        Some(fraction) => {
            let (number, rest) = number(fraction, 1, 9)?;
            rest.is_empty().then_some(())?;
            number * 10_u32.pow(9 - u32::try_from(fraction.len()).ok()?)
        }
    };
    Some(date.and_time(NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standard(text: &str) -> Option<String> {
        parse_standard(text).map(|time| time.to_string())
    }

    #[test]
    fn standard_form_has_optional_parts() {
        assert_eq!(standard("2020-04-15 08:00:05").as_deref(), Some("2020-04-15 08:00:05"));
        assert_eq!(standard("2020-4-5T8:0:5.12").as_deref(), Some("2020-04-05 08:00:05.120"));
        assert_eq!(standard("2020-04-15").as_deref(), Some("2020-04-15 00:00:00"));
        for bad in
            ["", "x", "2020-13-01", "2020-04-15 25:00:00", "2020-04-15 08:00:05.", "2020-04-15 x"]
        {
            assert_eq!(standard(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pattern_reads_what_it_writes() {
        let time = parse_standard("2021-03-09 15:04:05.678").expect("a time");
        for (pattern, expected) in [
            ("yyyy-MM-dd HH:mm:ss.SSS", "2021-03-09 15:04:05.678"),
            ("yyyyMMddHHmmssSSS", "20210309150405678"),
            ("d MMM yyyy, hh:mm:ss.SSS a", "9 Mar 2021, 03:04:05.678 PM"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "2021-03-09T15:04:05.678Z"),
        ] {
            let compiled = Pattern::compile(pattern).expect("a pattern");
            let mut text = String::new();
            compiled.format(time, &mut text);
            assert_eq!(text, expected);
            assert_eq!(compiled.parse(&text), Some(time), "{pattern}");
        }
    }

    #[test]
    fn unknown_letters_and_open_quotes_are_refused() {
        assert!(Pattern::compile("yyyy-ww").is_err());
        assert!(Pattern::compile("yyyy'T").is_err());
    }
}
