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
