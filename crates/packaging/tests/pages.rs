//! Project pages in both forms: what is kept, what is skipped, what is refused.

use packaging::{CoreMetadataFile, HashAlgorithm, PackageName, PageError, ProjectPage, SkipReason};
use testkit::{Mutation, Mutations};
use url::Url;

fn base() -> Url {
    Url::parse("https://pkgs.example.org/simple/foo/").unwrap()
}

fn foo() -> PackageName {
    "foo".parse().unwrap()
}

fn json(text: &str) -> ProjectPage {
    ProjectPage::from_json(text.as_bytes(), &base(), &foo()).unwrap()
}

fn html(text: &str) -> ProjectPage {
    ProjectPage::from_html(text.as_bytes(), &base(), &foo()).unwrap()
}

fn names(page: &ProjectPage) -> Vec<&str> {
    page.files.iter().map(|file| file.filename()).collect()
}

const PAGE: &str = r#"{
  "files": [
    {"filename": "foo-1.0-py3-none-any.whl", "url": "../../files/foo-1.0-py3-none-any.whl#x=y", "size": 12,
     "hashes": {"sha256": "ABC", "blake2b": "d"}, "requires-python": ">=3.8", "yanked": "bro\u006ben",
     "core-metadata": {"sha256": "DEF"}, "dist-info-metadata": false, "upload-time": "2024-01-02T03:04:05.678Z"},
    {"filename": "foo-1.0.tar.gz", "url": "https://files.example.org/foo-1.0.tar.gz", "hashes": {}, "requires-python": null,
     "yanked": false, "dist-info-metadata": true, "gpg-sig": true}
  ],
  "versions": ["1.0"], "meta": {"api-version": "1.4", "_last-serial": 3}, "name": "foo",
  "project-status": {"status": "archived", "reason": "done"}
}"#;

#[test]
fn json_rows_are_read_whole() {
    let page = json(PAGE);
    let [wheel, source] = page.files.as_slice() else { panic!("{page:?}") };
    assert_eq!(wheel.filename(), "foo-1.0-py3-none-any.whl");
    assert_eq!(wheel.raw_url, "https://pkgs.example.org/files/foo-1.0-py3-none-any.whl");
    assert_eq!(wheel.hashes.iter().collect::<Vec<_>>(), [(HashAlgorithm::Sha256, "abc")]);
    assert_eq!(wheel.requires_python.as_deref(), Some(">=3.8"));
    assert_eq!(wheel.yanked.as_deref(), Some("broken"));
    assert_eq!(wheel.core_metadata, CoreMetadataFile::Available { sha256: Some("def".into()) });
    assert_eq!(wheel.metadata_url().unwrap().unwrap().as_str(), format!("{}.metadata", wheel.raw_url));
    assert_eq!((wheel.size, wheel.upload_time.as_deref()), (Some(12), Some("2024-01-02T03:04:05.678Z")));
    assert_eq!(source.core_metadata, CoreMetadataFile::Available { sha256: None });
    assert_eq!((&source.yanked, &source.requires_python, source.size), (&None, &None, None));
    let status = page.status.unwrap();
    assert_eq!((status.status.as_str(), status.reason.as_deref()), ("archived", Some("done")));
}

#[test]
fn html_links_say_the_same() {
    let page = html(
        r#"<!DOCTYPE html><html><head><META name="pypi:repository-version" content="1.1">
        <meta content="quarantined" name="pypi:project-status"><base href="/files/"></head><body>
        <!-- <a href="foo-9.tar.gz">no</a> -->
        <a href="foo-1.0%2Blocal-py3-none-any.whl#sha256=ABC" data-requires-python="&gt;=3.8,&lt;4" data-yanked
           data-dist-info-metadata="false" data-core-metadata="sha256=DEF" data-upload-time=2024-01-02T03:04:05Z>x</a>
        <A HREF='foo-1.0.tar.gz?a=b&amp;c=d' data-yanked="why">x</A><a name="here">x</a><a href="">x</a>
        <script>"<a href='foo-8.tar.gz'>"</script></body></html>"#,
    );
    let [wheel, source] = page.files.as_slice() else { panic!("{page:?}") };
    assert_eq!(wheel.filename(), "foo-1.0+local-py3-none-any.whl");
    assert_eq!(wheel.raw_url, "https://pkgs.example.org/files/foo-1.0%2Blocal-py3-none-any.whl");
    assert_eq!(wheel.hashes.get(HashAlgorithm::Sha256), Some("abc"));
    assert_eq!(wheel.requires_python.as_deref(), Some(">=3.8,<4"));
    assert_eq!(wheel.yanked.as_deref(), Some(""));
    assert_eq!(wheel.core_metadata, CoreMetadataFile::Available { sha256: Some("def".into()) });
    assert_eq!(wheel.upload_time.as_deref(), Some("2024-01-02T03:04:05Z"));
    assert_eq!(source.raw_url, "https://pkgs.example.org/files/foo-1.0.tar.gz?a=b&c=d");
    assert_eq!((source.filename(), source.yanked.as_deref()), ("foo-1.0.tar.gz", Some("why")));
    assert_eq!(page.status.unwrap().status, "quarantined");
}

#[test]
fn one_bad_row_never_loses_the_page() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for bad in [
        "null",
        "1",
        "-1",
        "1.5",
        "true",
        "\"text\"",
        "[[]]",
        "{}",
        r#"{"filename": 1, "url": 2}"#,
        r#"{"filename": "foo-1-py3-none-any.whl"}"#,
        r#"{"filename": "bar-1.tar.gz", "url": "bar-1.tar.gz"}"#,
        r#"{"filename": "foo-1.exe", "url": "foo-1.exe"}"#,
        r#"{"filename": "../foo-1.tar.gz", "url": "foo-1.tar.gz"}"#,
        r#"{"filename": "foo-1.tar.gz", "url": "https://[::1"}"#,
        &format!(r#"{{"filename": "foo-1.tar.gz", "url": {deep}}}"#),
        &format!(r#"{{"filename": "foo-1.tar.gz", "hashes": {{"sha256": {deep}}}}}"#),
        &deep,
    ] {
        let page = json(&format!(r#"{{"files": [{bad}, {{"filename": "foo-2.tar.gz", "url": "foo-2.tar.gz"}}]}}"#));
        assert_eq!(names(&page), ["foo-2.tar.gz"], "{bad}");
        assert_eq!(page.skipped.len(), 1, "{bad}");
    }
    // What is wrong but not needed costs only itself; of two fields of one name the last counts.
    let row = r#"{"filename": "x", "filename": "foo-1.tar.gz", "url": "foo-1.tar.gz", "size": -1, "hashes": [],
        "yanked": {"a": [1]}, "requires-python": 3, "core-metadata": [], "upload-time": {}}"#;
    assert_eq!(names(&json(&format!(r#"{{"files": [{row}]}}"#))), ["foo-1.tar.gz"]);
}

#[test]
fn links_may_not_leave_https_nor_reach_the_disk() {
    let reason = |page_url: &str, link: &str| {
        let page = ProjectPage::from_html(
            format!("<a href=\"{link}\">x</a>").as_bytes(),
            &Url::parse(page_url).unwrap(),
            &foo(),
        );
        page.unwrap().skipped.first().map(|skipped| skipped.reason.clone())
    };
    let (https, http, file) = ("https://pkgs.example.org/foo/", "http://pkgs.example.org/foo/", "file:///links/");
    assert_eq!(reason(https, "http://pkgs.example.org/foo-1.tar.gz"), Some(SkipReason::Insecure));
    assert_eq!(reason(https, " HTTP://pkgs.example.org/foo-1.tar.gz"), Some(SkipReason::Insecure));
    for link in [
        "file:///foo-1.tar.gz",
        "ftp://pkgs.example.org/foo-1.tar.gz",
        "javascript:foo-1.tar.gz",
        "git+https://x/foo-1.tar.gz",
    ] {
        assert_eq!(reason(https, link), Some(SkipReason::Scheme), "{link}");
        assert_eq!(reason(http, link), Some(SkipReason::Scheme), "{link}");
    }
    for (page, link) in [
        (https, "//other.example.org/foo-1.tar.gz"),
        (http, "https://pkgs.example.org/foo-1.tar.gz"),
        (http, "foo-1.tar.gz"),
        (file, "foo-1.tar.gz"),
        (file, "file:///elsewhere/foo-1.tar.gz"),
        (file, "https://pkgs.example.org/foo-1.tar.gz"),
    ] {
        assert_eq!(reason(page, link), None, "{link}");
    }
}

#[test]
fn names_are_decoded_exactly_once() {
    for (link, name) in [
        ("foo-1.0%2Bcpu.tar.gz", Some("foo-1.0+cpu.tar.gz")),
        ("foo-1.0%252Bcpu.tar.gz", None),
        ("x/..%2Ffoo-1.0.tar.gz", None),
        ("%2e%2e%5Cfoo-1.0.tar.gz", None),
        ("foo-1.0.tar.gz%00", None),
        ("foo-1.0%ff.tar.gz", None),
        ("foo-1.0.tar.gz/", Some("foo-1.0.tar.gz")),
        ("https://pkgs.example.org", None),
        ("?foo-1.0.tar.gz", None),
    ] {
        assert_eq!(names(&html(&format!("<a href=\"{link}\">x</a>"))).first().copied(), name, "{link}");
    }
}

#[test]
fn another_api_version_is_refused() {
    for version in ["2.0", "0.9", "x", "", "10.0"] {
        let page = format!(r#"{{"meta": {{"api-version": "{version}"}}, "files": []}}"#);
        let error = ProjectPage::from_json(page.as_bytes(), &base(), &foo()).unwrap_err();
        assert!(matches!(error, PageError::ApiVersion(_)), "{version}");
        let page = format!(r#"<meta name="pypi:repository-version" content="{version}">"#);
        let error = ProjectPage::from_html(page.as_bytes(), &base(), &foo()).unwrap_err();
        assert!(matches!(error, PageError::ApiVersion(_)), "{version}");
    }
    assert_eq!(json(r#"{"meta": {"api-version": "1.99"}}"#), ProjectPage::default());
}

#[test]
fn what_is_no_page_is_an_error_and_never_a_panic() {
    let deep = "[".repeat(1_000_000);
    for text in
        ["", "[]", "null", "{", r#"{"files": 1}"#, r#"{"files": [}"#, "<html>", deep.as_str(), "{\"files\": [{\"a\":"]
    {
        let result = ProjectPage::from_json(text.as_bytes(), &base(), &foo());
        assert!(matches!(result, Err(PageError::Json(_))), "{:.20}", text);
    }
    assert!(ProjectPage::from_json(b"{\"files\": [\"\xff\"]}", &base(), &foo()).is_err());
    let tags = "<a ".repeat(200_000);
    let quotes = "<a href='".to_owned() + &"\"&amp;<".repeat(100_000);
    for text in
        [tags.as_bytes(), quotes.as_bytes(), b"\xff\xfe\x00<a href=\x00\xff>", b"<a href", b"<!--", b"&#xffffffff;"]
    {
        ProjectPage::from_html(text, &base(), &foo()).unwrap();
    }
}

#[test]
fn the_parsed_form_survives_the_cache() {
    let page = json(PAGE);
    let bytes = postcard::to_stdvec(&page).unwrap();
    assert_eq!(postcard::from_bytes::<ProjectPage>(&bytes).unwrap(), page);
    for length in 0..bytes.len() {
        let _ = postcard::from_bytes::<ProjectPage>(&bytes[..length]);
    }
}

/// What holds of every page, whoever wrote it. Returns how many files are accepted.
fn check_damaged(
    page: &Mutation,
    rows: usize,
    parse: fn(&[u8], &Url, &PackageName) -> Result<ProjectPage, PageError>,
) -> usize {
    let mut accepted = 0;
    for (at, schemes) in [
        ("https://pkgs.example.org/simple/foo/", &["https"][..]),
        ("http://pkgs.example.org/simple/foo/", &["http", "https"]),
        ("file:///links/foo/", &["http", "https", "file"]),
    ] {
        let Ok(read) = parse(page, &Url::parse(at).unwrap(), &foo()) else { continue };
        assert!(read.files.len() + read.skipped.len() <= rows, "{read:?}");
        for file in &read.files {
            assert_eq!(*file.dist.name(), foo());
            assert!(!file.filename().contains(['/', '\\', '\0']), "{file:?}");
            // The URL that was judged is the one that is fetched.
            let url = file.url().unwrap();
            assert!(schemes.contains(&url.scheme()), "{file:?}");
            assert_eq!(url.as_str(), file.raw_url);
            assert_eq!(url.fragment(), None);
            if let Some(metadata) = file.metadata_url() {
                let metadata = metadata.unwrap();
                assert_eq!(
                    (metadata.scheme(), metadata.host(), metadata.port()),
                    (url.scheme(), url.host(), url.port())
                );
            }
        }
        accepted += read.files.len();
        let bytes = postcard::to_stdvec(&read).unwrap();
        assert_eq!(postcard::from_bytes::<ProjectPage>(&bytes).unwrap(), read);
    }
    accepted
}

/// Pieces of links.
const LINK_WORDS: [&str; 20] = [
    "http://",
    "https://",
    "file:///",
    "//",
    "javascript:",
    "/../",
    "/%2e%2e/",
    "%2F",
    "%00",
    "..",
    "/./",
    "\\",
    "@",
    ":",
    ":80/",
    "?",
    "#",
    "#sha256=00&md5=1",
    "xn--a",
    "[::1]",
];

#[test]
fn damaged_json_pages_list_files_of_the_project_only() {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        "null",
        "\\u0000",
        "\\ud800",
        "{\"filename\": \"foo-3.zip\", \"url\": \"x\"},",
        "1e999",
    ];
    let mut accepted = 0;
    for page in Mutations::of(PAGE, 800).words(words.iter().chain(&LINK_WORDS)) {
        // A row may be anything; between two of them is a comma.
        let commas = page.iter().filter(|byte| **byte == b',').count();
        accepted += check_damaged(&page, commas + 1, ProjectPage::from_json);
    }
    assert!(accepted > 100, "only {accepted}");
}

#[test]
fn damaged_html_pages_list_files_of_the_project_only() {
    let original = r##"<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.1"></head><body>
        <a href="../../files/foo-1.0%2Blocal-py3-none-any.whl#sha256=ABC" data-requires-python="&gt;=3.8" data-yanked
           data-core-metadata="sha256=DEF">x</a>
        <a href='https://files.example.org/a/foo-1.0.tar.gz'>x</a><a href="foo-2.zip">x</a></body></html>"##;
    let words = [
        "<a href=foo-3.zip>",
        "<base href='http://elsewhere.example.org/'>",
        "<base href=/>",
        "<!--",
        "-->",
        "<script>",
        "<",
        ">",
        "'",
        "\"",
        "&#47;",
        "&colon;",
        "&Tab;",
        "<a ",
        "<A\thref=",
        "<meta name=pypi:repository-version content=2>",
        "<plaintext>",
    ];
    let mut accepted = 0;
    for page in Mutations::of(original, 800).words(words.iter().chain(&LINK_WORDS)) {
        let anchors = page.windows(2).filter(|tag| tag.eq_ignore_ascii_case(b"<a")).count();
        accepted += check_damaged(&page, anchors, ProjectPage::from_html);
    }
    assert!(accepted > 1_000, "only {accepted}");
}
