//! `list --outdated` and `--uptodate` against an index, and against pip.

use testkit::{Environment, Index, Sdist, Wheel};

use super::reference::Reference;
use crate::scene::tufpip;

#[test]
fn which_versions_count_as_newest() {
    if testkit::Interpreter::find().is_none() {
        println!("skipped: no python3 on PATH");
        return;
    }
    let wheel = |name: &str, version: &str| Wheel::new(name, version).build();
    let server = Index::new()
        .add(wheel("app", "1.0"))
        .add(wheel("app", "2.0"))
        .add(wheel("app", "3.0rc1"))
        .add_yanked(wheel("app", "2.5"), "broken")
        .add(Wheel::new("app", "2.6").requires_python(">=4").build())
        .add(wheel("built", "1.0"))
        .add(Sdist::new("built", "1.1").build())
        .add(wheel("current", "1.0"))
        .serve();
    let environment = Environment::new();
    let names = ["app==1.0", "built==1.0", "current"];
    tufpip(&environment).arg("install").args(names).index(&server).run().expect_code(0);
    let unlisted = Wheel::new("unlisted", "1.0").build();
    let path = environment.write(&unlisted.filename, &unlisted.bytes);
    tufpip(&environment).args(["install", "--no-index"]).arg(path).run().expect_code(0);

    let reference = Reference::find();
    for (arguments, expected) in [
        (
            &["list", "--outdated"][..],
            "Package Version Latest Type\n------- ------- ------ -----\napp     1.0     2.0    wheel\nbuilt   1.0     1.1    sdist\n",
        ),
        (
            &["list", "-o", "--pre", "--format=json"],
            "[{\"name\": \"app\", \"version\": \"1.0\", \"latest_version\": \"3.0rc1\", \"latest_filetype\": \"wheel\"}, \
             {\"name\": \"built\", \"version\": \"1.0\", \"latest_version\": \"1.1\", \"latest_filetype\": \"sdist\"}]\n",
        ),
        (
            &["list", "-o", "--only-binary", ":all:"],
            "Package Version Latest Type\n------- ------- ------ -----\napp     1.0     2.0    wheel\n",
        ),
        (&["list", "--uptodate"], "Package Version\n------- -------\ncurrent 1.0\n"),
        (&["list", "--uptodate", "--exclude", "current"], ""),
    ] {
        let own = tufpip(&environment).args(arguments).index(&server).run().expect_code(0);
        assert_eq!(own.stdout, expected, "{arguments:?}");
        if let Some(reference) = &reference {
            let theirs = reference.command(&environment).args(arguments).index(&server).run();
            if theirs.code == Some(2) && theirs.stderr.contains("no such option") {
                println!("skipped the comparison: this pip does not know {arguments:?}");
                continue;
            }
            assert_eq!(own.stdout, theirs.stdout, "{arguments:?}: tufpip left, pip right");
        }
    }
}
