//! What the stories about servers share: the program at one of them, and what must be as it was after a failure.

use testkit::{Command, Environment, Request, Response, Server, Wheel, WheelFile, tree};

use crate::scene;

/// The program in `environment`, with nothing but the index of `server`.
pub fn tufpip(environment: &Environment, server: &Server) -> Command {
    scene::tufpip(environment).index(server)
}

/// `install WORDS`, with one retry of each kind, so that faults end soon.
pub fn install(environment: &Environment, server: &Server, words: &[&str]) -> Command {
    tufpip(environment, server).args(["install", "--retries", "1", "--resume-retries", "1"]).args(words)
}

/// `app 1.0` with 300 KB that do not compress, so that a download has a middle.
pub fn large_app() -> WheelFile {
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(300_000)
    .collect();
    Wheel::new("app", "1.0").file("app/noise.bin", noise).build()
}

/// An index with `large_app` whose file is served by `file`: it gets the request and the proper answer.
pub fn serving(file: impl Fn(&Request, Response) -> Response + Send + Sync + 'static) -> Server {
    let index = testkit::Index::new().add(large_app());
    Server::start(move |request| {
        let proper = index.respond(request);
        if request.path.ends_with(".whl") { file(request, proper) } else { proper }
    })
}

/// Runs a command that must fail with `code`, and holds that it left nothing: not in the environment, not in TMPDIR, no
/// unfinished file in the cache.
#[track_caller]
pub fn refused(environment: &Environment, command: Command, code: i32) -> String {
    let before = environment.state();
    let outcome = command.run().expect_code(code);
    assert_eq!(environment.state(), before, "the environment changed\n{}", outcome.stderr);
    nothing_unfinished(environment);
    outcome.stderr
}

/// Holds that no temporary file is left, whatever it may be called.
#[track_caller]
pub fn nothing_unfinished(environment: &Environment) {
    scene::expect_clean(environment);
    let unfinished: Vec<String> =
        tree(&environment.cache()).into_iter().filter(|line| line.contains("/.") || line.contains(".tmp")).collect();
    assert_eq!(unfinished, [""; 0]);
}

/// `Range` and `If-Range` of the requests for files of wheels, `-` for none.
pub fn ranges(server: &Server) -> Vec<String> {
    let requests = server.requests().into_iter().filter(|request| request.path.ends_with(".whl"));
    let header = |request: &Request, name: &str| request.header(name).unwrap_or("-").to_owned();
    requests.map(|request| format!("{} {}", header(&request, "range"), header(&request, "if-range"))).collect()
}
