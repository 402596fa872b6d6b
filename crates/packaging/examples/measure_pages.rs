//! Measures reading a large project page: `cargo run --release -p packaging --example measure_pages`.

use std::fmt::Write as _;
use std::time::Instant;

use packaging::{ProjectPage, TagInputs, Tags};
use url::Url;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base = Url::parse("https://pkgs.example.org/simple/foo/")?;
    let project = "foo".parse()?;
    let mut json = String::from(r#"{"meta":{"api-version":"1.4"},"name":"foo","files":["#);
    let mut html = String::from("<!DOCTYPE html><html><body>");
    for number in 0..12_000 {
        let name = format!(
            "foo-{}.{}.{}-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            number / 600,
            number / 30 % 20,
            number % 30
        );
        let hash = format!("{number:064x}");
        let path = format!("https://files.example.org/packages/{}/{}/{}/{name}", &hash[0..2], &hash[2..4], &hash[4..]);
        if number > 0 {
            json.push(',');
        }
        write!(
            json,
            r#"{{"core-metadata":{{"sha256":"{hash}"}},"data-dist-info-metadata":{{"sha256":"{hash}"}},"filename":"{name}","hashes":{{"sha256":"{hash}"}},"provenance":null,"requires-python":">=3.8","size":{number},"upload-time":"2024-01-02T03:04:05.678901Z","url":"{path}","yanked":false}}"#
        )?;
        writeln!(
            html,
            r#"<a href="{path}#sha256={hash}" data-requires-python="&gt;=3.8" data-core-metadata="sha256={hash}">{name}</a><br />"#
        )?;
    }
    json.push_str("]}");
    let report = |what: &str, bytes: usize, start: Instant| {
        let seconds = start.elapsed().as_secs_f64() / 10.0;
        println!(
            "{what}: {:.1} MB in {:.1} ms, {:.0} MB/s",
            bytes as f64 / 1e6,
            seconds * 1e3,
            bytes as f64 / 1e6 / seconds
        );
    };
    let start = Instant::now();
    for _ in 0..10 {
        ProjectPage::from_json(json.as_bytes(), &base, &project)?;
    }
    report("JSON", json.len(), start);
    let start = Instant::now();
    for _ in 0..10 {
        ProjectPage::from_html(html.as_bytes(), &base, &project)?;
    }
    report("HTML", html.len(), start);
    let page = ProjectPage::from_json(json.as_bytes(), &base, &project)?;
    let cached = postcard::to_stdvec(&page)?;
    let start = Instant::now();
    for _ in 0..10 {
        postcard::from_bytes::<ProjectPage>(&cached)?;
    }
    report("cached", cached.len(), start);
    let facts: TagInputs = serde_json::from_str(
        r#"{"implementation":"cpython","version":[3,11],"pointer_size":8,"platform":"linux-x86_64","system":"Linux","glibc":[2,36]}"#,
    )?;
    let tags = Tags::for_interpreter(&facts);
    let start = Instant::now();
    let mut usable = 0;
    for _ in 0..10 {
        usable += page.files.iter().filter_map(|file| tags.rank(file.dist.wheel()?)).count();
    }
    println!("ranked {} files in {:.2} ms", usable / 10, start.elapsed().as_secs_f64() * 100.0);
    Ok(())
}
