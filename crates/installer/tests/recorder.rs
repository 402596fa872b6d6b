//! A reporter that remembers what it was told, and what order that must be in.

use std::sync::Mutex;

use installer::event::{Event, Progress, Reporter};

/// What happened, in order; each as a short text such as `started app-1.0-py3-none-any.whl`.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Vec<String>>);

impl Reporter for Recorder {
    fn report(&self, event: Event<'_>) {
        let text = match event {
            Event::Progress(Progress::Resolving { .. }) => "resolving".to_owned(),
            Event::Progress(Progress::Resolved) => "resolved".to_owned(),
            Event::Progress(Progress::DownloadPlanned { files, .. }) => format!("planned {files}"),
            Event::Progress(Progress::DownloadStarted { name, .. }) => format!("started {name}"),
            Event::Progress(Progress::DownloadAdvanced { name, .. }) => format!("advanced {name}"),
            Event::Progress(Progress::DownloadFinished { name }) => format!("finished {name}"),
            Event::Progress(Progress::Placing { packages }) => format!("placing {packages}"),
            Event::Progress(Progress::Placed) => "placed".to_owned(),
            Event::Installing { projects } => format!("installing {}", projects.len()),
            Event::Installed { distributions } => format!("installed {}", distributions.join(" ")),
            Event::Verified(verified) => format!("verified {}", verified.signed.values().sum::<usize>()),
            Event::Detail { .. } => return,
            other => format!("other {other:?}"),
        };
        self.0.lock().unwrap().push(text);
    }

    fn wants_details(&self, _: i8) -> bool {
        true
    }
}

impl Recorder {
    /// How many events there were of this kind.
    pub fn count(&self, kind: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|text| text.split(' ').next() == Some(kind)).count()
    }

    /// Fails the test unless this is what a reporter is told of one installation of these distributions, and nothing else.
    #[track_caller]
    pub fn expect_installation(&self, distributions: &[&str]) {
        let events = self.0.lock().unwrap();
        let count = distributions.len();
        let kinds: Vec<&str> = events.iter().map(|text| text.split(' ').next().unwrap()).collect();
        let first = |kind: &str| kinds.iter().position(|other| *other == kind);
        let last = |kind: &str| kinds.iter().rposition(|other| *other == kind);
        assert_eq!(first("other"), None, "{events:#?}");
        let phases = ["resolved", "installing", "placing", "placed", "installed", "verified"];
        let at: Vec<usize> = phases.iter().map(|phase| first(phase).expect(phase)).collect();
        assert!(at.is_sorted(), "{events:#?}");
        assert_eq!(phases.map(last), phases.map(first), "each phase is told once: {events:#?}");
        assert!(last("resolving") < first("resolved"), "{events:#?}");
        assert!(events.contains(&format!("installing {count}")), "{events:#?}");
        assert!(events.contains(&format!("placing {count}")), "{events:#?}");
        assert!(events.contains(&format!("installed {}", distributions.join(" "))), "{events:#?}");
        let downloads: Vec<&str> = events.iter().filter_map(|text| text.strip_prefix("started ")).collect();
        if downloads.is_empty() {
            return;
        }
        assert!(first("resolved") < first("planned") && last("planned") < first("started"), "{events:#?}");
        assert!(last("finished") < first("installing"), "{events:#?}");
        for file in downloads {
            let only = |kind: &str| {
                let text = format!("{kind} {file}");
                assert_eq!(events.iter().filter(|event| **event == text).count(), 1, "{text}: {events:#?}");
                events.iter().position(|event| *event == text)
            };
            let advanced = format!("advanced {file}");
            let advances: Vec<usize> = (0..events.len()).filter(|at| events[*at] == advanced).collect();
            assert!(only("started") < advances.first().copied(), "{events:#?}");
            assert!(advances.last().copied() < only("finished"), "{events:#?}");
        }
    }
}
