use super::*;

/// Every class of character that is escaped, by an example of it or all of it.
#[test]
fn what_steers_hides_or_reorders_is_escaped() {
    let ranges: &[std::ops::RangeInclusive<u32>] = &[
        0..=0x1f,
        0x7f..=0x9f,
        0xad..=0xad,
        0x34f..=0x34f,
        0x61c..=0x61c,
        0x115f..=0x1160,
        0x17b4..=0x17b5,
        0x180b..=0x180f,
        0x200b..=0x200f,
        0x2028..=0x202e,
        0x2060..=0x206f,
        0x2800..=0x2800,
        0x3164..=0x3164,
        0xe000..=0xf8ff,
        0xfdd0..=0xfdef,
        0xfe00..=0xfe0f,
        0xfeff..=0xfeff,
        0xffa0..=0xffa0,
        0xfff0..=0xfffb,
        0xfffe..=0xffff,
        0x13430..=0x1343f,
        0x1bca0..=0x1bca3,
        0x1d173..=0x1d17a,
        0x1fffe..=0x1ffff,
        0x2fffe..=0x2ffff,
        0xdfffe..=0xdffff,
        0xe0000..=0xe0fff,
        0xf0000..=0x10ffff,
    ];
    for character in ranges.iter().cloned().flatten().filter_map(char::from_u32) {
        assert!(is_escaped(character), "{character:?}");
        let escape = format!("\\u{{{:x}}}", u32::from(character));
        assert_eq!(line(&format!("a{character}b")), format!("a{escape}b"));
    }
}

#[test]
fn letters_of_every_script_and_symbols_are_shown() {
    for text in [
        "plain ASCII with 'quotes', \"quotes\", \\ and ~",
        "naïve Ünïcödé, e\u{301}",
        "Привет Ελλάδα עברית العربية हिन्दी ไทย 한국어 日本語 繁體中文",
        "٠١٢٣ \u{600} ½ € → █▌░ ☃ 🙂 👍🏽 🇪🇺",
        "no\u{a0}break, ideographic\u{3000}space",
        "replaced \u{fffd}",
    ] {
        assert_eq!(line(text), text);
        assert_eq!(lines(text), text);
        assert_eq!(shortened(text, 1000), text);
    }
}

/// Whatever comes in, nothing that is to be escaped comes out; and what came out once stays as it is.
#[test]
fn what_comes_out_is_safe_and_stays() {
    // Characters that count, near each other and at random, from a fixed seed: xorshift.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let telling =
        "\u{1b}[31m\r\n\t\0\u{7f}\u{9b}ab \\\"'{}u\u{202e}\u{2066}\u{61c}\u{2028}\u{feff}\u{e0041}\u{200d}é名🙂";
    let telling: Vec<char> = telling.chars().collect();
    for _ in 0..20_000 {
        let length = random() % 24;
        let text: String = (0..length)
            .filter_map(|_| match random() % 4 {
                0 => u32::try_from(random() % 0x11_0000).ok().and_then(char::from_u32),
                choice => telling.get(usize::try_from((random() >> choice) % telling.len() as u64).unwrap()).copied(),
            })
            .collect();
        let most = usize::try_from(random() % 40).unwrap();
        assert!(ascii(&text, most).is_ascii());
        for shown in [line(&text), shortened(&text, most), quoted(&text, most), ascii(&text, most)] {
            assert!(!shown.chars().any(is_escaped), "{text:?}: {shown:?}");
            assert!(!shown.chars().any(char::is_control), "{text:?}: {shown:?}");
            assert_eq!(line(&shown), shown);
        }
        let several = lines(&text);
        assert!(!several.chars().any(|character| !matches!(character, '\n' | '\t') && is_escaped(character)));
        assert_eq!(lines(&several), several);
        let short = shortened(&text, most);
        assert!(short.chars().count() <= most + 1, "{most} {short:?}");
        assert_eq!(shortened(&short, most), short);
        assert!(quoted(&text, most).chars().count() <= most + 3);
    }
}

#[test]
fn ends_of_lines_and_tabs_stay_between_lines() {
    assert_eq!(lines("a\r\nb\tc\rd\n\u{1b}"), "a\nb\tc\\u{d}d\n\\u{1b}");
    assert_eq!(line("a\r\nb\tc"), "a\\u{d}\\u{a}b\\u{9}c");
}

#[test]
fn json_means_what_it_meant() {
    let document = "{\n\t\"a\u{7f}é\": \"\u{9b}\u{202e}\u{e0041}\\u001b\"\r\n}";
    let shown = "{\n\t\"a\\u007fé\": \"\\u009b\\u202e\\udb40\\udc41\\u001b\"\n}";
    assert_eq!(json(document), shown);
    assert_eq!(json(shown), shown);
}

#[test]
fn an_escape_is_shown_whole_or_not_at_all() {
    assert_eq!(shortened("ab\u{1b}c", 6), "ab…");
    assert_eq!(shortened("ab\u{1b}c", 8), "ab\\u{1b}…");
    assert_eq!(shortened("ab\u{1b}c", 9), "ab\\u{1b}c");
    assert_eq!(shortened("", 0), "");
    assert_eq!(quoted("\\", 1), "\"…\"");
}

/// A text that never ends by itself.
#[test]
fn what_is_left_out_is_not_formatted() {
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                formatter.write_str("and so on ")?;
            }
        }
    }
    assert_eq!(shortened(Endless, 6), "and so…");
}
