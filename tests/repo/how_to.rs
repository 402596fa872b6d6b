//! The pages of `docs/how-to` keep what they promise: their commands are run, and what they claim is looked at.

use std::fs;
use std::path::Path;

use testkit::{Index, ListedFile, Outcome, S3Server, Wheel, WheelFile, tree};

use crate::repo::page::Page;
use crate::repo::serving::Serving;
use crate::repo::upstream::{hours_ago, options, uploaded};

/// `app` in this version, which needs `library`, and `library` 1.0.
fn wheels(version: &str) -> [WheelFile; 2] {
    [Wheel::new("app", version).requires("library>=1").build(), Wheel::new("library", "1.0").build()]
}

/// A client that remembers everything installs `app` anew; nothing it needs is in a cache.
fn installs(page: &Page, machine: &str) -> Outcome {
    let install = "tufpip install --no-cache-dir --require-signed --force-reinstall";
    page.run(machine, &format!("{install} --index-url https://pkgs.example.org/simple/ app"))
}

#[track_caller]
fn has_installed(page: &Page, machine: &str, expected: &[&str]) {
    assert_eq!(page.machine(machine).environment.installed(), expected, "on {machine}");
}

#[test]
fn private_index_in_five_minutes() {
    let store = S3Server::start("packages");
    let mut page = Page::open("private-index-in-five-minutes");
    for (name, value) in store.environment() {
        page = page.variable("bucket", name, &value);
    }
    page.has_built("operator", &wheels("1.0"));
    page.has_built("bucket", &wheels("1.0"));

    page.follow("Begin");
    let operator = page.machine("operator");
    assert!(!operator.path("keys/root.pem").exists());
    assert!(operator.path("public/tuf/timestamp.json").exists());
    let outcomes = page.follow("Publish");
    assert!(outcomes[1].stdout.contains("Everything is as it was signed."), "{}", outcomes[1].stdout);

    // The web server, and the reference, say what the program's own server says.
    let nginx = page.blocks_in("nginx").concat();
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/repo.md");
    let reference = fs::read_to_string(reference).unwrap();
    let operator = page.machine("operator");
    let serving = Serving::start(&operator.environment, &operator.path(""));
    for (path, row) in [
        ("tuf/timestamp.json", "tuf/timestamp.json"),
        ("tuf/1.root.json", "tuf/N.root.json"),
        ("simple/app/index.json", "simple/index.json"),
        ("simple/app/index.html", "simple/index.html"),
    ] {
        let answer = serving.get(&format!("/{path}"));
        let (kind, caching) = (answer.header("content-type"), answer.header("cache-control"));
        assert!(nginx.contains(&format!("add_header Cache-Control \"{caching}\"")), "{path}");
        let row = reference.lines().find(|line| line.starts_with(&format!("| `{row}`"))).unwrap();
        assert!(row.ends_with(&format!("| `{kind}` | `{caching}` |")), "{path}: {kind}, {caching}: {row}");
    }

    page.follow("Or into a bucket");
    page.run("bucket", &format!("tufpip repo verify --files --url {}", store.public_url(""))).expect_code(0);

    let before = fs::read(page.machine("operator").path("public/tuf/timestamp.json")).unwrap();
    page.follow("Keep it fresh");
    assert_ne!(fs::read(page.machine("operator").path("public/tuf/timestamp.json")).unwrap(), before);
    page.follow("Give the root to users");
    let used = page.follow_where_possible("Use it");
    assert!(used[0].stderr.contains("Verified   2 files against"), "{}", used[0].stderr);
    has_installed(&page, "user", &["app-1.0", "library-1.0"]);
    page.end();

    // The next release goes the same way.
    page.has_built("operator", &wheels("2.0"));
    let again = page.run("operator", "tufpip repo add dist/; tufpip repo publish").expect_code(0);
    assert!(again.stdout.contains("Staged 1 file of 1 project."), "{}", again.stdout);
    installs(&page, "user").expect_code(0);
    has_installed(&page, "user", &["app-2.0", "library-1.0"]);
    let other = Wheel::new("app", "2.0").file("app/other.py", "").build();
    page.has_built("operator", &[other]);
    page.run("operator", "tufpip repo add dist/").expect_stderr(&["app-2.0-py3-none-any.whl", "repo.other-content"]);
}

/// An operator's index, published by commands that are on no page, beside the machines of the page.
fn published_beside(page: &Page, version: &str) {
    page.has_built("operator", &wheels(version));
    page.run("operator", "tufpip repo add dist/; tufpip repo publish").expect_code(0);
}

/// As an operator would have begun.
fn begun(name: &str) -> Page {
    let page = Page::open(name);
    page.run("operator", "tufpip repo init --base https://pkgs.example.org/ --no-passphrase").expect_code(0);
    published_beside(&page, "1.0");
    page.run("operator", "tufpip repo export-anchor -o /media/stick/root.json").expect_code(0);
    page
}

#[test]
fn use_a_signed_index() {
    let other = Index::new().add(Wheel::new("app", "9.0").build()).add(Wheel::new("tool", "1.0").build()).serve();
    let mut page = begun("use-a-signed-index").meaning("https://other.example.org/", &other.url("/"));
    page.run("user", "cp /media/stick/root.json .").expect_code(0);
    page.follow("Trust it");
    let outcomes = page.follow("Beside other indexes");
    // What the signed index has is taken from there.
    has_installed(&page, "user", &["app-1.0", "library-1.0"]);
    assert!(outcomes[0].stderr.contains("Verified   2 files against"), "{}", outcomes[0].stderr);
    page.end();
}

#[test]
fn ci_with_require_signed() {
    let mut page = begun("ci-with-require-signed");
    for machine in ["desk", "job"] {
        page.machine(machine).environment.write("requirements.txt", "app\n");
    }
    page.run("desk", "cp /media/stick/root.json .").expect_code(0);
    let checks_out = |page: &Page| {
        page.run("desk", "rm -rf /media/stick/trust.d; cp -r trust.d /media/stick/").expect_code(0);
        page.run("job", "rm -rf trust.d; cp -r /media/stick/trust.d .").expect_code(0);
    };
    page.follow("The anchor, in the code repository");
    checks_out(&page);
    let before = tree(&page.machine("job").path("trust.d"));
    let outcomes = page.follow("The job");
    assert!(outcomes[0].stderr.contains("Verified   2 files against"), "{}", outcomes[0].stderr);
    has_installed(&page, "job", &["app-1.0", "library-1.0"]);
    assert_eq!(tree(&page.machine("job").path("trust.d")), before, "something was written to trust.d");

    // Two publications later, the first state is shown again: to a job without newer memory, and to one that has it.
    page.run("operator", "cp -a public old").expect_code(0);
    published_beside(&page, "2.0");
    page.follow("From time to time");
    page.end();
    page.serve("operator", "old");
    let job = "export TUFPIP_TRUST=$PWD/trust.d
        tufpip install --no-cache-dir --force-reinstall --require-signed -i https://pkgs.example.org/simple/ app";
    page.run("job", "rm -rf ~/.local/share/tufpip").expect_code(0);
    page.run("job", job).expect_code(0);
    checks_out(&page);
    page.run("job", job).expect_code(10).expect_stderr(&["trust.rollback"]);

    // A file that is not the one that was signed.
    page.serve("operator", "public");
    page.run("job", job).expect_code(0);
    has_installed(&page, "job", &["app-2.0", "library-1.0"]);
    page.run("operator", "find public/packages -name 'app-2*.whl' -exec sh -c 'echo >>\"$1\"' _ {} ';'").expect_code(0);
    page.run("job", job).expect_code(10);
    // An index without a root.
    let unsigned = Index::new().add(Wheel::new("app", "3.0").build()).serve();
    let elsewhere = job.replace("https://pkgs.example.org/simple/", &unsigned.url("/simple/"));
    page.run("job", &elsewhere).expect_code(12).expect_stderr(&["policy.require-signed"]);
    let besides = format!("{job} --extra-index-url {}", unsigned.url("/simple/"));
    page.run("job", &besides).expect_code(12).expect_stderr(&["policy.require-signed"]);
    has_installed(&page, "job", &["app-2.0", "library-1.0"]);
}

#[test]
fn key_ceremony() {
    let mut page = Page::open("key-ceremony");
    let published = |page: &Page, file: &str| page.machine("operator").path(&format!("public/tuf/{file}")).exists();
    page.follow("Each makes a key");
    page.follow("The index begins");
    page.follow("Two sign");
    assert!(!published(&page, "1.root.json"), "published before everybody has signed");
    page.follow("It is published");
    published_beside(&page, "1.0");

    // The first user of the index goes on through everything.
    let anchor = "tufpip repo export-anchor -o /media/stick/anchor";
    page.run("operator", anchor).expect_code(0);
    page.run("user", "tufpip trust add https://pkgs.example.org/simple/ --root /media/stick/anchor").expect_code(0);
    let goes_on = |page: &Page, root: u64| {
        assert!(published(page, &format!("{root}.root.json")), "root {root} is not published");
        installs(page, "user").expect_code(0);
        page.run("operator", "tufpip repo refresh; tufpip repo verify --files").expect_code(0);
        installs(page, "user").expect_code(0);
    };
    goes_on(&page, 1);
    let outcomes = page.follow("Renew before it expires");
    // Each sees what changes, who has signed, and the others by their names.
    let carol = &outcomes[2].stdout;
    for piece in ["root 1 becomes root 2", "2.root.json: 2 of 2 signatures for root 2: alice (", "carol ("] {
        assert!(carol.contains(piece), "{piece} is not in\n{carol}");
    }
    goes_on(&page, 2);

    page.follow("Replace somebody's key");
    goes_on(&page, 3);
    let root = fs::read_to_string(page.machine("operator").path("public/tuf/3.root.json")).unwrap();
    let id_of = |machine: &str| {
        let shown = page.machine(machine).says(&["key", "show", &format!("keys/{machine}.pub")]);
        shown["keys"][0]["keyid"].as_str().unwrap().to_owned()
    };
    assert!(root.contains(&id_of("dave")));
    // Carol signed the root before, and is in none of the roles of this one.
    let parsed: serde_json::Value = serde_json::from_str(&root).unwrap();
    assert!(!parsed["signed"].to_string().contains(&id_of("carol")));

    page.follow("Require more signatures, or fewer");
    goes_on(&page, 4);
    page.run("operator", "tufpip repo root edit --renew root; cp staged/metadata/*.json /media/stick/").expect_code(0);
    for machine in ["alice", "bob"] {
        let sign = format!("tufpip repo root sign /media/stick/5.root.json --key keys/{machine}.pem");
        page.run(machine, &sign).expect_code(0);
    }
    page.run("operator", "cp /media/stick/*.json staged/metadata/; tufpip repo root finalize")
        .expect_code(1)
        .expect_stderr(&["2 of 3 signatures"]);
    page.follow("Abandon a change that waits");
    page.run("operator", "tufpip repo root finalize").expect_code(1).expect_stderr(&["repo.nothing-waits"]);

    page.follow("Another online key");
    goes_on(&page, 5);
    page.end();
}

#[test]
fn delegate_a_project() {
    let mut page = begun("delegate-a-project");
    let trust = "tufpip trust add https://pkgs.example.org/simple/ --root /media/stick/root.json";
    page.run("user", &format!("{trust}; rm /media/stick/root.json")).expect_code(0);
    page.follow("The project makes a key");
    let outcomes = page.follow("The index hands it over");
    let hash = wheels("1.0")[0].sha256();
    assert!(outcomes[1].stdout.contains(&hash), "{}", outcomes[1].stdout);
    installs(&page, "user").expect_code(0);
    has_installed(&page, "user", &["app-1.0", "library-1.0"]);

    page.has_built("operator", &wheels("2.0"));
    let outcomes = page.follow("A release");
    let waits = format!("{}{}", outcomes[0].stdout, outcomes[0].stderr);
    assert!(waits.contains("app waits for the signatures of its own people"), "{waits}");
    installs(&page, "user").expect_code(0);
    has_installed(&page, "user", &["app-2.0", "library-1.0"]);

    page.follow("The index signs again");
    page.end();
    published_beside(&page, "3.0");
    installs(&page, "user").expect_code(0);
    has_installed(&page, "user", &["app-3.0", "library-1.0"]);
}

#[test]
fn recover_from_a_compromise() {
    let mut page = begun("recover-from-a-compromise");
    page.run("operator", "cp keys/root.pem keys/root.pub /media/stick/; rm keys/root.pem").expect_code(0);
    let trust = "tufpip trust add https://pkgs.example.org/simple/ --root /media/stick/root.json";
    page.run("user", trust).expect_code(0);
    page.follow("Before anything happens");

    page.run("operator", "rm keys/online.*").expect_code(0);
    page.run("operator", "tufpip repo refresh").expect_code(1).expect_stderr(&["repo.no-online-key"]);
    page.follow("The online key is lost");
    page.run("operator", "tufpip repo refresh; tufpip repo verify --files").expect_code(0);
    installs(&page, "user").expect_code(0);

    // The thief has a copy of the operator's directory, and publishes into the operator's storage.
    let evil = Wheel::new("app", "6.6.6").file("app/evil.py", "").build();
    page.machine("thief").environment.write(&evil.filename, &evil.bytes);
    let steal = "cp -a /srv/index stolen; sed -i 's|^output = .*|output = \"/srv/index/public\"|' stolen/repo.toml";
    page.run("thief", &format!("{steal}; tufpip repo add --repo stolen *.whl")).expect_code(0);
    page.run(
        "thief",
        "tufpip repo publish --repo stolen; cp /srv/index/public/tuf/timestamp.json /media/stick/stolen.json",
    )
    .expect_code(0);
    installs(&page, "user").expect_code(0);
    has_installed(&page, "user", &["app-6.6.6", "library-1.0"]);
    let outcomes = page.follow("The online key is stolen");
    let difference: Vec<&str> = outcomes[0].stdout.lines().filter(|line| line.starts_with(['<', '>'])).collect();
    assert_eq!(difference, [format!("> {} {} ", evil.sha256(), evil.filename)]);
    installs(&page, "user").expect_code(0);
    has_installed(&page, "user", &["app-1.0", "library-1.0"]);
    // What the stolen key has signed is worth nothing any more.
    page.run("operator", "cp public/tuf/timestamp.json .; cp /media/stick/stolen.json public/tuf/timestamp.json")
        .expect_code(0);
    installs(&page, "user").expect_code(10).expect_stderr(&["trust.signatures"]);
    page.run("operator", "cp timestamp.json public/tuf/").expect_code(0);
    installs(&page, "user").expect_code(0);

    // The root ends in a few seconds instead of a year.
    let shorter = "tufpip repo root edit --expires 8s; tufpip repo root sign --key /media/stick/root.pem
        tufpip repo root finalize";
    page.run("operator", shorter).expect_code(0);
    std::thread::sleep(std::time::Duration::from_secs(8));
    installs(&page, "user").expect_code(11).expect_stderr(&["trust.expired"]);
    page.follow("The root has expired");
    installs(&page, "user").expect_code(0);

    let copy = "rm -r /media/stick/public; cp -a public /media/stick/";
    page.run("operator", copy).expect_code(0);
    let write = "find public/packages -name '*.whl' -exec sh -c 'echo >>\"$1\"' _ {} ';'
        rm public/tuf/*.index.json; echo '{}' > public/tuf/timestamp.json";
    page.run("operator", write).expect_code(0);
    assert_eq!(installs(&page, "user").code, Some(10));
    page.follow("Somebody wrote to the storage");
    installs(&page, "user").expect_code(0);
    page.follow("Many more projects than expected");
    installs(&page, "user").expect_code(0);

    // Only a copy is left that is older than what users have seen; and the operator's machine is a new one.
    page.run("operator", copy).expect_code(0);
    page.has_built("operator", &wheels("2.0"));
    page.run("operator", "tufpip repo add dist/; tufpip repo publish; tufpip repo refresh").expect_code(0);
    installs(&page, "user").expect_code(0);
    page.run("operator", "rm -r public; cp -a /media/stick/public .").expect_code(0);
    assert_eq!(installs(&page, "user").code, Some(10));
    page.run("operator", "tufpip repo refresh").expect_code(10).expect_stderr(&["repo.refused"]);
    let anew = "rm -r seen.json staged keys; mkdir keys; cp /media/stick/root.* keys/
        tufpip repo rotate-online --no-passphrase; tufpip repo add dist/; tufpip repo publish";
    page.run("operator", anew).expect_code(0);
    installs(&page, "user").expect_code(0);
    has_installed(&page, "user", &["app-2.0", "library-1.0"]);

    page.follow_on("operator", "Too many root keys are lost or stolen");
    page.serve("operator", "second/public");
    assert_eq!(installs(&page, "user").code, Some(10));
    page.follow("Too many root keys are lost or stolen");
    installs(&page, "user").expect_code(0);
    page.end();
}

/// An index of others: `app` needs `library`, of which 2.0 is a day old and 2.0.1 an hour.
fn upstream(library: &[(&str, i64)]) -> Index {
    let app = ListedFile::from(wheels("1.0")[0].clone()).uploaded(&hours_ago(24 * 30));
    let files = library.iter().map(|(version, age)| uploaded("library", version, &hours_ago(*age)));
    files.fold(Index::new().options(options()).add(app), Index::add)
}

#[test]
fn cooled_down_mirror() {
    let windows = Wheel::new("tool", "1.0").tag("cp312-cp312-win_amd64").build();
    let tool = |wheel| ListedFile::from(wheel).uploaded(&hours_ago(24 * 9));
    let libraries = [("1.0", 24 * 30), ("2.0", 24), ("2.0.1", 1)];
    let other = upstream(&libraries).add(tool(windows)).add(tool(Wheel::new("tool", "1.0").build())).serve();
    let mut page = begun("cooled-down-mirror").meaning("https://upstream.example.org/", &other.url("/"));
    page.run("operator", "tufpip repo remove app; tufpip repo remove library; tufpip repo publish").expect_code(0);
    page.machine("operator").environment.write("approved.txt", "app\ntool\n");
    let published = |page: &Page| {
        let names = tree(&page.machine("operator").path("public/packages")).into_iter();
        let names = names.filter_map(|line| Some(line.split_once(".whl ")?.0.rsplit_once('/')?.1.to_owned()));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    let outcomes = page.follow("Choose");
    assert!(outcomes[0].stdout.contains("library 2.0.1"), "{}", outcomes[0].stdout);
    assert_eq!(
        published(&page),
        ["app-1.0-py3-none-any", "library-1.0-py3-none-any", "tool-1.0-cp312-cp312-win_amd64", "tool-1.0-py3-none-any"]
    );
    let trust = "tufpip trust add https://pkgs.example.org/simple/ --root /media/stick/root.json";
    page.run("user", trust).expect_code(0);
    installs(&page, "user").expect_code(0);
    has_installed(&page, "user", &["app-1.0", "library-1.0"]);

    page.follow("Every day");
    page.follow("An urgent fix");
    installs(&page, "user").expect_code(0);
    has_installed(&page, "user", &["app-1.0", "library-2.0.1"]);
    page.end();
    // It stays when the mirror is followed again, and not with --prune.
    for (option, expected) in [("", "library-2.0.1"), ("--prune", "library-1.0")] {
        let mirror = "tufpip repo mirror --index-url https://upstream.example.org/simple/ -r approved.txt --min-age 7d";
        page.run("operator", &format!("{mirror} {option}; tufpip repo publish")).expect_code(0);
        installs(&page, "user").expect_code(0);
        has_installed(&page, "user", &["app-1.0", expected]);
    }
}

#[test]
fn sign_an_index_that_you_cannot_change() {
    let other = upstream(&[("1.0", 24 * 30)]).serve();
    let mut page =
        Page::open("sign-an-index-you-cannot-change").meaning("https://upstream.example.org/", &other.url("/"));
    page.follow("Sign it");
    page.follow("Follow it");
    let outcomes = page.follow("Use it");
    assert!(outcomes[0].stderr.contains("Verified   2 files against"), "{}", outcomes[0].stderr);
    has_installed(&page, "user", &["app-1.0", "library-1.0"]);
    page.end();
}
