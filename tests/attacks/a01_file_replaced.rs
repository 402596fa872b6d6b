//! Somebody on the way, or on the server, puts another file in the place of a signed one.

use testkit::{DistributionTrust, SignedIndex, Wheel};

use crate::scene::{SignedScene, index};

const LIBRARY: &str = "library-2.0-py3-none-any.whl";
const INSTALLED: &[&str] = &["app-1.0", "library-2.0"];

fn evil_library() -> Vec<u8> {
    Wheel::new("library", "2.0").file("library/evil.py", "import this\n").build().bytes
}

#[test]
fn other_bytes_under_the_same_name() {
    let scene = SignedScene::signed();
    scene.server.replace(&scene.server.wheel_path(LIBRARY), evil_library());
    scene.refuses_and_learns(
        &["app"],
        10,
        &["Refused library-2.0-py3-none-any.whl: it is not what was signed", "expected", "received", "verify.target"],
    );
    scene.recovers(&["app"], INSTALLED);
}

#[test]
fn every_other_ending_and_every_other_byte() {
    let scene = SignedScene::signed();
    let path = scene.server.wheel_path(LIBRARY);
    let honest = scene.server.files()[&path].clone();
    let flipped = |position: usize| {
        let mut bytes = honest.clone();
        bytes[position] ^= 1;
        bytes
    };
    let length = format!("{} bytes", honest.len());
    let cases: [(&str, Vec<u8>, &str, &str); 8] = [
        ("nothing", Vec::new(), &length, "0 bytes"),
        ("cut", honest[..honest.len() - 1].to_vec(), &length, &format!("{} bytes", honest.len() - 1)),
        ("longer by one byte", [honest.as_slice(), &[0]].concat(), &length, "more"),
        ("twice", honest.repeat(2), &length, "more"),
        ("another first byte", flipped(0), "sha256", "sha256"),
        ("another byte in the middle", flipped(honest.len() / 2), "sha256", "sha256"),
        ("another last byte", flipped(honest.len() - 1), "sha256", "sha256"),
        ("a web page", b"<!DOCTYPE html><title>Please log in</title>".to_vec(), &length, "43 bytes"),
    ];
    for (what, bytes, expected, received) in cases {
        eprintln!("{what}");
        scene.server.replace(&path, bytes);
        let (expected, received) = (format!("expected {expected}"), format!("received {received}"));
        let said = ["Refused library-2.0", "verify.target", &path, &expected, &received];
        scene.refuses_and_learns(&["library"], 10, &said);
        scene.server.honest();
    }
    scene.recovers(&["library"], &["library-2.0"]);
}

#[test]
fn an_older_signed_file_of_the_same_project() {
    let scene = SignedScene::signed();
    let older = scene.server.files()[&scene.server.wheel_path("library-1.0-py3-none-any.whl")].clone();
    scene.server.replace(&scene.server.wheel_path(LIBRARY), older);
    scene.refuses_and_learns(&["app"], 10, &["Refused library-2.0", "verify.target"]);
    scene.recovers(&["app"], INSTALLED);
}

#[test]
fn a_connection_that_breaks_off_is_no_forgery() {
    let scene = SignedScene::signed();
    scene.server.alter(&scene.server.wheel_path(LIBRARY), |answer| answer.close_after(100));
    scene.refuses_and_learns(&["--resume-retries=0", "app"], 13, &["damaged or incomplete", "net.incomplete"]);
    scene.recovers(&["app"], INSTALLED);
}

#[test]
fn an_index_page_that_matches_the_file_does_not_help() {
    for trust in [DistributionTrust::Page, DistributionTrust::Target, DistributionTrust::Both] {
        let scene = SignedScene::of(SignedIndex::new(index()).trust(trust));
        let evil = evil_library();
        let page = scene.altered_page("library", |page| describe(page, &evil));
        scene.server.replace(&scene.server.wheel_path(LIBRARY), evil);
        scene.refuses_and_learns(&["app"], 10, &["Refused library-2.0", "verify.target"]);
        // The page that unsigned clients read is altered, too; nobody asks for it.
        scene.server.replace("/simple/library/", page.clone());
        scene.refuses_and_learns(&["app"], 10, &["Refused library-2.0", "verify.target"]);
        assert!(scene.server.requests_for("/simple/library/").is_empty(), "{:?}", scene.server.log());

        let newcomer = SignedScene::of(SignedIndex::new(index()).trust(trust));
        let page = newcomer.altered_page("library", |page| describe(page, &evil_library()));
        newcomer.server.replace(&newcomer.server.wheel_path(LIBRARY), evil_library());
        newcomer.server.replace(&newcomer.server.page_path("library"), page);
        newcomer.refuses_and_learns(&["app"], 10, &["Refused the page of library", "verify.page"]);
        assert!(newcomer.server.requests_for(&newcomer.server.wheel_path(LIBRARY)).is_empty());
        for scene in [scene, newcomer] {
            scene.recovers(&["app"], INSTALLED);
        }
    }
}

#[test]
fn a_hash_that_the_user_got_from_the_attacker_does_not_help() {
    let scene = SignedScene::signed();
    let evil = evil_library();
    let sha256 = testkit::HashName::Sha256.hex(&evil);
    scene.server.replace(&scene.server.wheel_path(LIBRARY), evil);
    scene.environment.write("requirements.txt", format!("library==2.0 --hash=sha256:{sha256}\n"));
    scene.refuses_and_learns(&["-r", "requirements.txt"], 10, &["library-2.0"]);
    scene.recovers(&["library==2.0"], &["library-2.0"]);
}

/// Makes the page say of the newest library what is true of these bytes.
fn describe(page: &mut serde_json::Value, bytes: &[u8]) {
    let files = page["files"].as_array_mut().unwrap();
    let file = files.iter_mut().find(|file| file["filename"] == LIBRARY).unwrap();
    file["hashes"]["sha256"] = testkit::HashName::Sha256.hex(bytes).into();
    file["size"] = bytes.len().into();
}
