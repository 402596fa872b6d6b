//! Somebody on the way, or on the server, puts another file in the place of a signed one.

use testkit::Wheel;

use crate::scene::Scene;

const LIBRARY: &str = "library-2.0-py3-none-any.whl";

#[test]
fn other_bytes_under_the_same_name() {
    let scene = Scene::new();
    let other = Wheel::new("library", "2.0").file("library/evil.py", "import this\n").build();
    scene.server.replace(&scene.server.wheel_path(LIBRARY), other.bytes.clone());
    scene.refuses_and_learns(
        &["app"],
        10,
        &["Refused library-2.0-py3-none-any.whl: it is not what was signed", "expected", "received", "verify.target"],
    );
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}
