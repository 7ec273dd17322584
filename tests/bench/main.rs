//! `just bench`: our figures beside those of peers, whole processes, in one run. Medians, and the ratio pair by pair, so
//! that a comparison holds when the machine's speed drifts. Prints; judges nothing. `bench PATH killed` compares what
//! runners do when they are killed.

mod killed;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// One command of a comparison.
struct Candidate {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
}

struct Bench {
    folder: PathBuf,
    sluice: PathBuf,
}

fn main() {
    let sluice = PathBuf::from(std::env::args_os().nth(1).expect("usage: bench PATH-OF-SLUICE [killed]"));
    if std::env::args().nth(2).as_deref() == Some("killed") {
        return killed::compare(&sluice.canonicalize().expect("the binary exists"));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bench = Bench { folder: folder.path().to_owned(), sluice: sluice.canonicalize().expect("the binary exists") };
    println!("{} processors; medians, ratio = ours / peer, pair by pair", processors());
    bench.noop_start();
    bench.thousand_steps();
    bench.ten_thousand_steps();
    bench.scan_tree();
    bench.plan_ten_thousand();
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Bench {
    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn ours(&self, arguments: &[&str]) -> Candidate {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Candidate { name: "sluice", program: self.sluice.clone(), arguments }
    }

    /// One no-op WebAssembly step, against task runners that run `true`.
    fn noop_start(&self) {
        self.write("noop/noop.wasm", noop_component());
        self.write("noop/sluice.yaml", "steps:\n  - uses: ./noop.wasm\n");
        self.write("noop/justfile", "noop:\n    @true\n");
        self.write("noop/Makefile", "noop:\n\t@true\n.PHONY: noop\n");
        self.compare(
            "start: one no-op step, warm",
            "noop",
            40,
            self.ours(&["run"]),
            &[peer("just", &[]), peer("make", &["-s"])],
        );
    }

    /// 1,000 no-op steps in 20 jobs, record on, against 1,000 times `true`.
    fn thousand_steps(&self) {
        let targets: Vec<String> = (0..1000).map(|n| format!("t{n}")).collect();
        let mut make = format!("all: {}\n.PHONY: all {}\n", targets.join(" "), targets.join(" "));
        let mut ninja = String::from("rule run\n  command = true\n");
        for target in &targets {
            let _ = write!(make, "{target}:\n\t@/bin/true\n");
            let _ = writeln!(ninja, "build {target}: run");
        }
        self.write("many/noop.wasm", noop_component());
        self.write("many/sluice.yaml", many_steps(20, "uses: ./noop.wasm"));
        self.write("many/Makefile", make);
        self.write("many/build.ninja", ninja);
        let peers = [peer("make", &["-s", "-j2"]), peer("ninja", &["--quiet", "-j2"])];
        self.compare("1,000 no-op steps", "many", 7, self.ours(&["run", "--plain"]), &peers);
        self.peak_memory("many", "run --plain");
    }

    /// The same ten times over.
    fn ten_thousand_steps(&self) {
        self.write("more/noop.wasm", noop_component());
        self.write("more/sluice.yaml", many_steps(200, "uses: ./noop.wasm"));
        self.compare("10,000 no-op steps", "more", 5, self.ours(&["run", "--plain"]), &[]);
        self.peak_memory("more", "run --plain");
    }

    /// 20 MB of source-like text in 2,000 files.
    fn scan_tree(&self) {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for file in 0..2000 {
            let mut text = String::with_capacity(10_400);
            while text.len() < 10_240 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let (a, b) = (state % 9973, (state >> 32) % 7919);
                let _ = writeln!(
                    text,
                    "    let value_{a} = compute(input_{b}, &options[{}], \"text number {a}\");",
                    a % 17
                );
            }
            self.write(&format!("tree/src/module_{}/file_{file}.rs", file % 40), text);
        }
        self.write("tree/sluice.yaml", "steps:\n  - uses: scan\n");
        let peers = [peer("gitleaks", &["dir", "--no-banner", "--log-level=error", "src"])];
        self.compare("scan of a 20 MB tree", "tree", 5, self.ours(&["run"]), &peers);
    }

    /// Planning only, with its peak memory.
    fn plan_ten_thousand(&self) {
        self.write("large/sluice.yaml", many_steps(200, "run: echo ${{ run.id }}\n        timeout: 5m"));
        self.compare("plan of 10,000 steps", "large", 7, self.ours(&["plan", "--json"]), &[]);
        self.peak_memory("large", "plan --json");
    }

    fn peak_memory(&self, folder: &str, arguments: &str) {
        let (folder, sluice) = (self.folder.join(folder), self.sluice.display());
        let script = format!("cd {} && {sluice} {arguments} >/dev/null", folder.display());
        match Command::new("/usr/bin/time").args(["-f", "%M", "sh", "-c", &script]).output() {
            Ok(output) => println!("  peak memory {} KiB", String::from_utf8_lossy(&output.stderr).trim()),
            Err(_) => println!("  peak memory not measured: /usr/bin/time is missing"),
        }
    }

    fn compare(&self, title: &str, folder: &str, runs: usize, ours: Candidate, peers: &[Option<Candidate>]) {
        println!("\n{title}");
        let folder = self.folder.join(folder);
        let candidates: Vec<&Candidate> = std::iter::once(&ours).chain(peers.iter().flatten()).collect();
        for candidate in &candidates {
            once(candidate, &folder);
        }
        let mut times = vec![Vec::with_capacity(runs); candidates.len()];
        for _ in 0..runs {
            for (candidate, times) in candidates.iter().zip(&mut times) {
                times.push(once(candidate, &folder));
            }
        }
        for (candidate, own) in candidates.iter().zip(&times) {
            let mut ratios: Vec<f64> = times[0].iter().zip(own).map(|(ours, theirs)| ours / theirs).collect();
            let ratio =
                if candidate.name == "sluice" { String::new() } else { format!("  ratio {:.2}", median(&mut ratios)) };
            println!("  {:<10}{:>10.2} ms{ratio}", candidate.name, 1000.0 * median(&mut own.clone()));
        }
        if peers.iter().any(Option::is_none) {
            println!("  (a peer that is not installed was left out)");
        }
    }
}

/// A workflow of jobs with 50 equal steps each.
fn many_steps(jobs: usize, step: &str) -> String {
    let mut workflow = String::from("jobs:\n");
    for job in 0..jobs {
        let _ = writeln!(workflow, "  job-{job}:\n    steps:");
        workflow.push_str(&format!("      - {step}\n").repeat(50));
    }
    workflow
}

/// A peer, if it is installed.
fn peer(name: &'static str, arguments: &[&str]) -> Option<Candidate> {
    let program = std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())?;
    Some(Candidate { name, program, arguments: arguments.iter().map(|&argument| argument.to_owned()).collect() })
}

/// Seconds that one run takes.
fn once(candidate: &Candidate, folder: &Path) -> f64 {
    let start = Instant::now();
    let status = Command::new(&candidate.program)
        .args(&candidate.arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the command starts");
    assert!(status.success(), "{} failed: {:?} {:?}", candidate.name, status.code(), status.signal());
    start.elapsed().as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The guest `tests/guests/noop`, built by `just guests`.
fn noop_component() -> Vec<u8> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    fs::read(target.join("guests/noop.wasm")).expect("the guests are built; run `just guests`")
}
