//! Points in time, in whole seconds; the crate has no clock.

use jiff::SignedDuration;
use jiff::civil::DateTime;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);

/// The start of [`UnixTime`].
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl UnixTime {
    /// Reads `YYYY-MM-DDTHH:MM:SSZ`, the one form that TUF knows (spec 4.2.1); nothing else.
    ///
    /// A date of the calendar in the years 1 to 9999; no leap second.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
        let [y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = *bytes
        else {
            return None;
        };
        let year = i16::from(number(y1, y2)?) * 100 + i16::from(number(y3, y4)?);
        if year == 0 {
            return None;
        }
        let (month, day) = (number(o1, o2)?, number(d1, d2)?);
        let (hour, minute, second) = (number(h1, h2)?, number(m1, m2)?, number(s1, s2)?);
        let date_time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        Some(UnixTime(date_time.duration_since(EPOCH).as_secs()))
    }
}

/// The form that [`UnixTime::parse`] reads; for years that it does not know, the seconds.
impl std::fmt::Display for UnixTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match EPOCH.checked_add(SignedDuration::from_secs(self.0)) {
            Ok(time) if time.year() > 0 => write!(
                f,
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                time.year(),
                time.month(),
                time.day(),
                time.hour(),
                time.minute(),
                time.second()
            ),
            _ => write!(f, "{} seconds from 1970-01-01T00:00:00Z", self.0),
        }
    }
}

/// Two decimal digits.
fn number(tens: u8, ones: u8) -> Option<i8> {
    if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    i8::try_from((tens - b'0') * 10 + (ones - b'0')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_one_form() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2024-02-29T12:34:56Z", 1_709_210_096),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2038-01-19T03:14:08Z", 1 << 31),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(UnixTime::parse(text), Some(UnixTime(seconds)), "{text}");
            assert_eq!(UnixTime(seconds).to_string(), text);
        }
    }

    #[test]
    fn refuses_all_else() {
        for text in [
            "",
            "Z",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00z",
            "2024-01-01t00:00:00Z",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00+00:00",
            "2024-01-01T00:00:00.0Z",
            "2024-01-01T00:00:00Z ",
            " 2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00Z\0",
            "2024-1-01T00:00:000Z",
            "2024-00-01T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-00T00:00:00Z",
            "2024-01-32T00:00:00Z",
            "2024-04-31T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2016-12-31T23:59:60Z",
            "2024-01-01T00:00:99Z",
            "0000-01-01T00:00:00Z",
            "-001-01-01T00:00:00Z",
            "+024-01-01T00:00:00Z",
            "2024-+1-01T00:00:00Z",
            "2024-01-01T00:00:-1Z",
            "20240-1-01T00:00:00Z",
            "２024-01-01T00:00:0Z",
            "٢٠٢٤-01-01T00:00Z",
            "10000-01-01T00:00:00Z",
        ] {
            assert_eq!(UnixTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn prints_what_it_cannot_read() {
        for seconds in [i64::MIN, -62_135_596_801, 253_402_300_800, i64::MAX] {
            assert_eq!(UnixTime(seconds).to_string(), format!("{seconds} seconds from 1970-01-01T00:00:00Z"));
        }
    }
}
