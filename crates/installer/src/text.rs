//! Small pieces of text that several parts make in the same way.

/// `1 file`, `2 files`: for nouns that only need an `s`.
pub fn count_noun(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A number of seconds, rounded in the largest unit that fits.
pub fn duration(seconds: i64) -> String {
    let (count, unit) = match seconds.max(0) {
        seconds @ ..120 => (seconds, "second"),
        seconds @ 120..7_200 => (seconds / 60, "minute"),
        seconds @ 7_200..172_800 => (seconds / 3_600, "hour"),
        // To the nearest: what was just signed for 365 days is good for 365 days.
        seconds => (seconds.saturating_add(43_200) / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
