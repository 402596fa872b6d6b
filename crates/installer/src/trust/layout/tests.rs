//! Layouts as tables: what a project or a link is called, and what is refused.

use serde_json::{Value, json};
use tuf::metadata::Targets;
use tuf::{HashAlgorithm, Hashes, UnixTime};

use super::*;

const INDEX: &str = "https://pkgs.example.org/simple/";
const METADATA: &str = "https://pkgs.example.org/tuf/";
/// A link into content stored by its hash.
const STORED: &str = "https://files.pkgs.example.org/packages/0f/a1/\
    00112233445566778899aabbccddeeff00112233445566778899aabbccdd/acme_web-1.0-py3-none-any.whl";
const WHEEL: &str = "acme_web-1.0-py3-none-any.whl";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn project(text: &str) -> PackageName {
    text.parse().unwrap()
}

/// Hashes of some content.
fn hashes(algorithms: &[HashAlgorithm]) -> Hashes {
    Hashes::of(b"page", algorithms)
}

fn hex(algorithm: HashAlgorithm) -> String {
    hashes(&[algorithm]).get(algorithm).unwrap()
}

fn urls_at(page: &PageTarget, index: &str, metadata: &str, hashes: &Hashes) -> Result<Vec<String>, LayoutError> {
    let (index, metadata) = (url(index), url(metadata));
    let urls = page.urls(&IndexUrls { index: &index, metadata: &metadata }, hashes)?;
    Ok(urls.into_iter().map(String::from).collect())
}

fn urls(page: &PageTarget, hashes: &Hashes) -> Vec<String> {
    urls_at(page, INDEX, METADATA, hashes).unwrap()
}

/// A descriptor that makes sense.
fn descriptor() -> Value {
    json!({
        "v": 1,
        "pages": [{
            "type": "application/vnd.pypi.simple.v1+json",
            "target": "simple/{project}/page.json",
            "url": "{base}{dir}{hash}.{file}",
        }],
        "dist_trust": "both",
        "dist_target": "dist/{project}/{filename}",
    })
}

/// The descriptor with one field changed; a field may be inside the page.
fn with(field: &str, value: Value) -> Value {
    let mut changed = descriptor();
    match field.strip_prefix("page.") {
        Some(field) => changed["pages"][0][field] = value,
        None => changed[field] = value,
    }
    changed
}

fn read(value: &Value) -> Layout {
    Layout::from_json(value).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn place_of_error(value: &Value) -> String {
    match Layout::from_json(value) {
        Err(LayoutError::Descriptor { place, .. }) => place,
        other => panic!("{value}: {other:?}"),
    }
}

#[test]
fn presets_name_the_page_of_a_project() {
    use PageFormat::{Html, Json};
    let sha256 = hex(HashAlgorithm::Sha256);
    let blake = hex(HashAlgorithm::Blake2b256);
    for (preset, format, path, address) in [
        (
            "static-1",
            Json,
            "simple/acme-web/vnd.pypi.simple.v1.json",
            format!("https://pkgs.example.org/simple/acme-web/{sha256}.vnd.pypi.simple.v1.json"),
        ),
        ("pip-2021", Html, "acme-web/index.html", format!("{INDEX}acme-web/{sha256}.index.html")),
        ("warehouse-2022", Html, "acme-web/acme-web.html", format!("{INDEX}acme-web/{blake}.acme-web.html")),
        ("warehouse-2024", Html, "acme-web", format!("{INDEX}acme-web/{blake}.acme-web.html")),
        ("pep691", Json, "simple/acme-web/vnd.pypi.simple.v1.json", format!("{INDEX}acme-web/")),
    ] {
        let layout = Layout::preset(preset).unwrap();
        let page = &layout.pages(&project("Acme_Web"))[0];
        assert_eq!((page.format, page.path.as_str()), (format, path), "{preset}");
        let listed = hashes(&[HashAlgorithm::Sha256, HashAlgorithm::Blake2b256]);
        assert_eq!(urls(page, &listed)[0], address, "{preset}");
    }
}

#[test]
fn presets_say_what_vouches_for_distributions() {
    use DistributionTrust::{Both, Page, Target};
    let stored = STORED.split_once("packages/").unwrap().1;
    let in_directory = format!("dist/acme-web/{WHEEL}");
    for (preset, trust, target, metadata) in [
        ("static-1", Both, Some(in_directory.as_str()), Some(format!("{in_directory}.metadata"))),
        ("pip-2021", Target, Some(stored), None),
        ("warehouse-2022", Target, Some(stored), Some(format!("{stored}.metadata"))),
        ("warehouse-2024", Page, None, None),
        ("pep691", Page, None, None),
    ] {
        let layout = Layout::preset(preset).unwrap();
        assert_eq!(layout.trust(), trust, "{preset}");
        let found = layout.distribution(&project("acme-web"), WHEEL, &url(STORED)).unwrap();
        assert_eq!(found.as_deref(), target, "{preset}");
        assert_eq!(found.and_then(|target| layout.metadata(&target)), metadata, "{preset}");
    }
}

#[test]
fn every_preset_can_be_read_under_each_of_its_names() {
    for (names, _) in PRESETS {
        for name in *names {
            assert_eq!(Layout::from_json(&json!(name)).unwrap(), Layout::preset(names[0]).unwrap(), "{name}");
        }
    }
    assert_eq!(Layout::presets().count(), PRESETS.len());
    let error = Layout::preset("static-2\u{1b}[2J").unwrap_err().to_string();
    assert!(error.contains("'static-2\\u{1b}[2J'") && error.contains("static-1, pep691"), "{error}");
}

#[test]
fn a_page_without_a_hash_in_its_url_is_asked_for_by_its_type() {
    let pages = Layout::preset("pep691").unwrap().pages(&project("acme-web"));
    let accepted: Vec<_> = pages.iter().map(|page| (page.format, page.accept)).collect();
    let json = (PageFormat::Json, Some("application/vnd.pypi.simple.v1+json"));
    assert_eq!(accepted, [json, (PageFormat::Html, Some("application/vnd.pypi.simple.v1+html"))]);
    assert_eq!(urls(&pages[1], &Hashes::new()), ["https://pkgs.example.org/simple/acme-web/"], "no hash is needed");
    assert_eq!(Layout::preset("static-1").unwrap().pages(&project("acme-web"))[0].accept, None);
}

#[test]
fn the_preferred_hash_comes_first_and_malformed_ones_not_at_all() {
    use HashAlgorithm::{Blake2b256, Sha256, Sha384, Sha512};
    let page = |hash: &str| read(&with("page.hash", json!(hash))).pages(&project("a")).remove(0);
    let names = |hash: &str, hashes: &Hashes| -> Vec<String> {
        let urls = urls(&page(hash), hashes);
        urls.iter().map(|url| url.rsplit('/').next().unwrap().split('.').next().unwrap().to_owned()).collect()
    };
    let all = hashes(&[Blake2b256, Sha384, Sha512, Sha256]);
    assert_eq!(names("sha256", &all), [hex(Sha256), hex(Sha512), hex(Blake2b256), hex(Sha384)]);
    assert_eq!(names("blake2b-256", &all), [hex(Blake2b256), hex(Sha256), hex(Sha512), hex(Sha384)]);
    assert_eq!(names("sha512", &hashes(&[Sha256])), [hex(Sha256)], "what is not listed cannot be preferred");

    let mut partly = hashes(&[Sha512]);
    partly.insert("sha256", "../../../etc/passwd");
    partly.insert("blake2b-256", "ab");
    partly.insert("md5", "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(names("sha256", &partly), [hex(Sha512)]);
    let mut upper = Hashes::new();
    upper.insert("sha256", hex(Sha256).to_uppercase());
    assert_eq!(names("sha256", &upper), [hex(Sha256)]);

    let mut useless = Hashes::new();
    useless.insert("sha256", "é".repeat(32));
    useless.insert("md5", "d41d8cd98f00b204e9800998ecf8427e");
    let error = urls_at(&page("sha256"), INDEX, METADATA, &useless).unwrap_err();
    assert!(matches!(error, LayoutError::PageUrl { .. }), "{error}");
}

#[test]
fn base_is_relative_to_the_directory_of_the_metadata() {
    for (base, metadata, expected) in [
        ("../", "https://pkgs.example.org/team/tuf/", "https://pkgs.example.org/team/simple/a/"),
        ("../", "https://pkgs.example.org/team/tuf", "https://pkgs.example.org/team/simple/a/"),
        ("../", "https://pkgs.example.org/team/tuf/?token=1#x", "https://pkgs.example.org/team/simple/a/"),
        ("", "https://pkgs.example.org/tuf/", "https://pkgs.example.org/tuf/simple/a/"),
        ("../../../../", "https://pkgs.example.org/tuf/", "https://pkgs.example.org/simple/a/"),
        ("/x/", "https://pkgs.example.org/tuf/", "https://pkgs.example.org/x/simple/a/"),
        ("https://pages.example.org/x/", METADATA, "https://pages.example.org/x/simple/a/"),
        ("../", "file:///srv/index/tuf/", "file:///srv/index/simple/a/"),
    ] {
        let page = read(&with("base", json!(base))).pages(&project("a")).remove(0);
        let found = urls_at(&page, INDEX, metadata, &hashes(&[HashAlgorithm::Sha256])).unwrap().remove(0);
        assert_eq!(found, format!("{expected}{}.page.json", hex(HashAlgorithm::Sha256)), "{base} {metadata}");
    }
}

#[test]
fn a_layout_leads_to_no_weaker_scheme() {
    let listed = hashes(&[HashAlgorithm::Sha256]);
    for (base, index, metadata, allowed) in [
        ("http://pkgs.example.org/", INDEX, METADATA, false),
        ("file:///etc/", INDEX, METADATA, false),
        ("data:text/plain,/", INDEX, METADATA, false),
        ("ftp://pkgs.example.org/", INDEX, METADATA, false),
        ("javascript:/", INDEX, METADATA, false),
        ("https://pkgs.example.org/", "http://pkgs.example.org/simple/", "http://pkgs.example.org/tuf/", true),
        ("http://other.example.org/", "http://pkgs.example.org/simple/", "http://pkgs.example.org/tuf/", true),
        ("file:///etc/", "http://pkgs.example.org/simple/", "http://pkgs.example.org/tuf/", false),
        ("file:///srv/", "file:///srv/simple/", "file:///srv/tuf/", true),
    ] {
        let page = read(&with("base", json!(base))).pages(&project("a")).remove(0);
        assert_eq!(urls_at(&page, index, metadata, &listed).is_ok(), allowed, "{base} from {metadata}");
    }
}

#[test]
fn odd_characters_of_a_template_are_encoded() {
    let mut odd = with("page.target", json!("a b/{project}+?#%2e/é.json"));
    odd["pages"][0]["url"] = json!("{base}x y?/{dir}{hash}.{file}");
    let page = read(&odd).pages(&project("acme-web")).remove(0);
    assert_eq!(page.path, "a b/acme-web+?#%2e/é.json");
    let hash = hex(HashAlgorithm::Sha256);
    let expected = format!("https://pkgs.example.org/x%20y%3F/a%20b/acme-web%2B%3F%23%252e/{hash}.%C3%A9.json");
    assert_eq!(urls(&page, &hashes(&[HashAlgorithm::Sha256])), [expected]);
}

#[test]
fn links_into_stored_content_are_known_by_their_last_four_segments() {
    let layout = read(&with("dist_target", json!("{link:last4}")));
    let (start, end) = STORED.split_once("0f/a1/").unwrap();
    let digits = end.split_once('/').unwrap().0;
    let known = format!("0f/a1/{digits}/{WHEEL}");
    for (link, expected) in [
        (STORED.to_owned(), Some(&known)),
        (format!("{STORED}?x=/a/b/c/d#sha256=00"), Some(&known)),
        (format!("https://me:secret@mirror.example.org/{known}"), Some(&known)),
        (format!("file:///{known}"), Some(&known)),
        (STORED.replace("acme_web", "%61cme%5Fweb"), Some(&known)),
        (format!("{start}0F/a1/{digits}/{WHEEL}"), None),
        (format!("{start}0f/a/{digits}/{WHEEL}"), None),
        (format!("{start}0f/a1/{digits}0/{WHEEL}"), None),
        (format!("{start}0g/a1/{digits}/{WHEEL}"), None),
        (format!("{start}%30f/a1/{digits}/{WHEEL}"), None),
        (format!("{start}0f//{digits}/{WHEEL}"), None),
        (format!("{start}0f/a1/{digits}/x/{WHEEL}"), None),
        (format!("https://pkgs.example.org/a1/{digits}/{WHEEL}"), None),
        (format!("https://pkgs.example.org/{WHEEL}"), None),
        ("https://pkgs.example.org/".to_owned(), None),
        (format!("data:text/plain,{known}"), None),
    ] {
        let found = layout.distribution(&project("acme-web"), WHEEL, &url(&link)).unwrap();
        assert_eq!(found.as_ref(), expected, "{link}");
    }
}

#[test]
fn links_below_a_prefix_are_known_by_what_follows() {
    let layout = read(&with("dist_target", json!("files/{link:after:https://pkgs.example.org/packages/}")));
    for (link, expected) in [
        ("https://pkgs.example.org/packages/a/b/f.whl", Some("files/a/b/f.whl")),
        ("https://pkgs.example.org:443/packages/f.whl?q#f", Some("files/f.whl")),
        ("https://pkgs.example.org/packages/x/../f.whl", Some("files/f.whl")),
        ("https://pkgs.example.org/packages/a%20b/%66.whl", Some("files/a b/f.whl")),
        ("https://pkgs.example.org/packages/%252e%252e/f.whl", Some("files/%2e%2e/f.whl")),
        ("http://pkgs.example.org/packages/f.whl", None),
        ("https://pkgs.example.org:8443/packages/f.whl", None),
        ("https://pkgs.example.org.evil.example/packages/f.whl", None),
        ("https://pkgs.example.org/packages2/f.whl", None),
        ("https://pkgs.example.org/packages/../f.whl", None),
        ("https://pkgs.example.org/f.whl", None),
    ] {
        let found = layout.distribution(&project("a"), "f.whl", &url(link)).unwrap();
        assert_eq!(found.as_deref(), expected, "{link}");
    }
}

#[test]
fn links_that_mean_something_else_than_they_look_like_are_refused() {
    let layout = read(&with("dist_target", json!("{link:after:https://pkgs.example.org/packages/}")));
    for path in [
        "a//f.whl",
        "a%2Ff.whl",
        "a%2fb/f.whl",
        "%2e%2e%2ff.whl",
        "a%5Cb/f.whl",
        "a%00b/f.whl",
        "a%0Ab/f.whl",
        "a%7Fb/f.whl",
        "a%C2%9Bb/f.whl",
        "a%FFb/f.whl",
        "",
        "f.whl/",
        "other.whl",
        "F.whl",
        "f.whl%20",
    ] {
        let link = url(&format!("https://me:secret@pkgs.example.org/packages/{path}"));
        let error = layout.distribution(&project("a"), "f.whl", &link).unwrap_err();
        assert!(matches!(error, LayoutError::Link { .. }), "{path}: {error}");
        let text = error.to_string();
        assert!(!text.contains("secret") && !text.chars().any(char::is_control), "{text:?}");
    }
}

#[test]
fn file_names_that_leave_their_place_are_refused() {
    for preset in ["static-1", "pip-2021"] {
        let layout = Layout::preset(preset).unwrap();
        for filename in ["", ".", "..", "a/b", "/a", "..\\a", "a\0", "a\n", "a\u{7f}", "a\u{9b}2J"] {
            let error = layout.distribution(&project("a"), filename, &url(STORED)).unwrap_err();
            assert!(matches!(error, LayoutError::Link { .. }), "{filename:?}: {error}");
        }
    }
}

#[test]
fn a_descriptor_in_signed_targets_is_the_layout() {
    let mut targets = Targets::new(1, UnixTime::parse("2030-01-01T00:00:00Z").unwrap());
    assert_eq!(Layout::in_band(&targets).unwrap(), None);

    let mut value = with("page.target", json!("simple/{project}/p\u{e9}\" .json"));
    value["later"] = json!({"unknown": [1, null, true]});
    let text = value.to_string();
    targets.other.insert(IN_BAND_FIELD, tuf::json::parse(text.as_bytes()).unwrap().into_owned());
    assert_eq!(Layout::in_band(&targets).unwrap(), Some(read(&value)));

    targets.other.insert(IN_BAND_FIELD, "static-1");
    assert_eq!(Layout::in_band(&targets).unwrap(), Some(Layout::preset("static-1").unwrap()));

    for wrong in ["null", "7", "[]", "{}", "\"static-9\"", "{\"v\": 2}"] {
        targets.other.insert(IN_BAND_FIELD, tuf::json::parse(wrong.as_bytes()).unwrap());
        Layout::in_band(&targets).expect_err(wrong);
    }
}

#[test]
fn mistakes_in_a_descriptor_are_named_with_their_place() {
    let page = |field: &str| format!("pages[0].{field}");
    for (field, value, place) in [
        ("v", json!(2), "v".to_owned()),
        ("v", json!("1"), "v".to_owned()),
        ("v", json!(1.5), "v".to_owned()),
        ("v", json!(null), "v".to_owned()),
        ("pages", json!([]), "pages".to_owned()),
        ("pages", json!({}), "pages".to_owned()),
        ("pages", json!(["static-1"]), "pages[0]".to_owned()),
        ("pages", json!([descriptor()["pages"][0], {}]), "pages[1].type".to_owned()),
        ("pages", Value::Array(vec![descriptor()["pages"][0].clone(); 9]), "pages".to_owned()),
        ("page.type", json!("application/json"), page("type")),
        ("page.type", json!(1), page("type")),
        ("page.target", json!("simple/page.json"), page("target")),
        ("page.target", json!("simple/{project}/{hash}"), page("target")),
        ("page.target", json!("simple/{project}/{filename}"), page("target")),
        ("page.target", json!("simple/{projekt}"), page("target")),
        ("page.target", json!("/{project}"), page("target")),
        ("page.target", json!("{project}/"), page("target")),
        ("page.target", json!("../{project}"), page("target")),
        ("page.target", json!("a/./{project}"), page("target")),
        ("page.target", json!("a\\{project}"), page("target")),
        ("page.target", json!("a\n{project}"), page("target")),
        ("page.target", json!("{project"), page("target")),
        ("page.target", json!("project}"), page("target")),
        ("page.target", json!("{project}}"), page("target")),
        ("page.target", json!("{{project}"), page("target")),
        ("page.target", json!("{project}".repeat(200)), page("target")),
        ("page.url", json!("{dir}{file}"), page("url")),
        ("page.url", json!("https://evil.example/{project}"), page("url")),
        ("page.url", json!("x{base}{project}"), page("url")),
        ("page.url", json!("{base}{index}{project}"), page("url")),
        ("page.url", json!("{base}../{project}"), page("url")),
        ("page.url", json!("{base}/{project}"), page("url")),
        ("page.url", json!("{base}{project}//"), page("url")),
        ("page.url", json!("{base}{dist}"), page("url")),
        ("page.url", json!("{base}"), page("url")),
        ("page.url", json!(""), page("url")),
        ("page.hash", json!("md5"), page("hash")),
        ("page.hash", json!(null), page("hash")),
        ("base", json!(".."), "base".to_owned()),
        ("base", json!("../?/"), "base".to_owned()),
        ("base", json!("..\\/"), "base".to_owned()),
        ("base", json!("\t/"), "base".to_owned()),
        ("base", json!("a/".repeat(600)), "base".to_owned()),
        ("base", json!(1), "base".to_owned()),
        ("dist_trust", json!("none"), "dist_trust".to_owned()),
        ("dist_trust", json!(true), "dist_trust".to_owned()),
        ("dist_target", json!(null), "dist_target".to_owned()),
        ("dist_target", json!("dist/{project}"), "dist_target".to_owned()),
        ("dist_target", json!("dist/{dist}"), "dist_target".to_owned()),
        ("dist_target", json!("../{filename}"), "dist_target".to_owned()),
        ("dist_target", json!("{link:last5}"), "dist_target".to_owned()),
        ("dist_target", json!("{link:last4}{link:last4}"), "dist_target".to_owned()),
        ("dist_target", json!("{link:after:}"), "dist_target".to_owned()),
        ("dist_target", json!("{link:after:packages/}"), "dist_target".to_owned()),
        ("dist_target", json!("{link:after:https://h.example/x}"), "dist_target".to_owned()),
        ("dist_target", json!("{link:after:https://h.example/?x/}"), "dist_target".to_owned()),
        ("dist_target", json!("{link:after:https://me@h.example/}"), "dist_target".to_owned()),
        ("dist_target", json!("{link:after:data:x/}"), "dist_target".to_owned()),
        ("dist_hash_prefix", json!(true), "dist_hash_prefix".to_owned()),
        ("core_metadata_target", json!("{dist}"), "core_metadata_target".to_owned()),
        ("core_metadata_target", json!("metadata"), "core_metadata_target".to_owned()),
        ("core_metadata_target", json!("../{dist}.metadata"), "core_metadata_target".to_owned()),
        ("core_metadata_target", json!("{filename}.metadata"), "core_metadata_target".to_owned()),
    ] {
        assert_eq!(place_of_error(&with(field, value.clone())), place, "{field}: {value}");
    }
}

#[test]
fn what_must_be_there_must_be_there() {
    for (pointer, field, place) in [
        ("", "v", "v"),
        ("", "pages", "pages"),
        ("", "dist_trust", "dist_trust"),
        ("", "dist_target", "dist_target"),
        ("/pages/0", "type", "pages[0].type"),
        ("/pages/0", "target", "pages[0].target"),
        ("/pages/0", "url", "pages[0].url"),
    ] {
        let mut value = descriptor();
        value.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(field);
        assert_eq!(place_of_error(&value), place);
    }
    let mut pages_only = with("dist_trust", json!("page"));
    pages_only.as_object_mut().unwrap().remove("dist_target");
    assert_eq!(read(&pages_only).distribution(&project("a"), "f", &url(STORED)).unwrap(), None);
}

#[test]
fn an_unknown_variable_is_named_with_those_there_are() {
    let error = Layout::from_json(&with("page.target", json!("{project}/{shell}"))).unwrap_err().to_string();
    assert_eq!(error, "layout: pages[0].target has the unknown variable {shell}; here there are {project}");
}

/// The smallest generator of pseudo-random numbers that is good enough (Marsaglia, xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    /// A text of pieces that have a meaning somewhere.
    fn text(&mut self) -> String {
        const PIECES: &[&str] = &[
            "{",
            "}",
            "{project}",
            "{hash}",
            "{dir}",
            "{file}",
            "{base}",
            "{index}",
            "{filename}",
            "{dist}",
            "{link:last4}",
            "{link:after:",
            "https://h.example/",
            "file:///",
            "http:",
            "//",
            "/",
            "..",
            ".",
            "%",
            "%2e",
            "%2F",
            "%5c",
            "%00",
            "%ff",
            "\\",
            "\0",
            "\n",
            "\u{1b}",
            "\u{202e}",
            "é",
            "😀",
            "a",
            "0f",
            "?",
            "#",
            "@",
            ":",
            "*",
            "[",
            " ",
            "+",
            "00112233445566778899aabbccddeeff00112233445566778899aabbccdd",
        ];
        (0..self.below(9)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

#[test]
fn hostile_text_never_panics_and_never_climbs() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let clean = |path: &str| path.split('/').all(|segment| link::segment_problem(segment).is_none());
    let (mut layouts, mut targets) = (0, 0);
    for _ in 0..20_000 {
        let mut value = descriptor();
        match numbers.below(6) {
            0 => value["pages"][0]["target"] = json!(numbers.text()),
            1 => value["pages"][0]["url"] = json!(format!("{{base}}{}", numbers.text())),
            2 => value["base"] = json!(numbers.text()),
            3 => value["dist_target"] = json!(format!("{{filename}}{}", numbers.text())),
            4 => value["dist_target"] = json!(["{link:last4}", "{link:after:https://h.example/}"][numbers.below(2)]),
            _ => value["core_metadata_target"] = json!(format!("{}{{dist}}", numbers.text())),
        }
        let Ok(layout) = Layout::from_json(&value) else { continue };
        layouts += 1;
        for page in layout.pages(&project("acme-web")) {
            assert!(clean(&page.path), "{value}");
            for address in urls_at(&page, INDEX, METADATA, &hashes(&[HashAlgorithm::Sha256])).unwrap_or_default() {
                assert!(address.starts_with("https://"), "{value}: {address}");
                assert!(!address.contains(['?', '#', '\\', ' ']), "{value}: {address}");
            }
        }
        let Ok(link) = Url::parse(&format!("https://h.example/{}", numbers.text())) else { continue };
        let last = link.path().rsplit('/').next().unwrap_or_default();
        let filename = if numbers.below(2) == 0 { last.to_owned() } else { numbers.text() };
        if let Ok(Some(target)) = layout.distribution(&project("acme-web"), &filename, &link) {
            targets += 1;
            assert!(clean(&target), "{value} {link} {filename}: {target}");
            assert!(layout.metadata(&target).is_none_or(|metadata| clean(&metadata)), "{value}");
        }
    }
    assert!(layouts > 1000 && targets > 500, "the generator makes nothing usable: {layouts}, {targets}");
}
