//! What only looks writes nothing, and a process leaves nothing of its memory behind.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::faults::held::wait_for;
use crate::kit::World;

#[test]
fn commands_that_only_look_open_nothing_for_writing() {
    if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        return eprintln!("there is no strace: what is opened for writing was not looked at");
    }
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.kalends("run").succeeds();
    world.production("created_at | value\n 2024-01-03 | 5");
    let log = world.folder().join("trace");
    for arguments in ["--help", "--version", "plan", "verify", "status", "history", "diff 2024-01-02", "check", "run"] {
        let kalends = world.command(arguments);
        let mut strace = Command::new("strace");
        let calls =
            "trace=?open,?openat,?openat2,?creat,?mkdir,?mkdirat,?rename,?renameat,?renameat2,?unlink,?unlinkat";
        strace.args(["-f", "-qq", "-e", calls, "-o"]).arg(&log).arg("--").arg(kalends.get_program());
        strace.args(kalends.get_args()).current_dir(world.folder());
        strace.envs(kalends.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = strace.output().unwrap();
        assert!(matches!(ran.status.code(), Some(0 | 3)), "{arguments}: {}", String::from_utf8_lossy(&ran.stderr));
        let traced = fs::read_to_string(&log).unwrap();
        let opens = |line: &&str| {
            line.contains("open") && !["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|how| line.contains(how))
        };
        let writes: Vec<&str> = traced.lines().filter(|line| !opens(line) && !line.contains("\"/dev/")).collect();
        assert_eq!(writes.is_empty(), arguments != "run", "kalends {arguments}: {writes:#?}");
    }
}

#[test]
fn no_core_is_dumped_with_passwords_in_it() {
    let world = World::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://a:S3CRET@127.0.0.1:{}/d", silent.local_addr().unwrap().port());
    let ran = world.command("run").env("KALENDS_PRODUCTION_URL", url).stderr(Stdio::null()).spawn();
    let mut ran = ran.unwrap();
    let limits = format!("/proc/{}/limits", ran.id());
    wait_for("a limit of cores", || {
        let told = fs::read_to_string(&limits).unwrap_or_default();
        told.lines().any(|line| line.starts_with("Max core file size        0 "))
    });
    ran.kill().unwrap();
    ran.wait().unwrap();
}
