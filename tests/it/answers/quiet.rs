//! What only looks writes nothing, nothing listens, and a process leaves nothing of its memory behind.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::faults::held::{Hold, Running, wait_for};
use crate::kit::World;
use crate::own_servers::Side;

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
    let kalends = world.command("run");
    // From a shell that lets cores be as large as it may.
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$0\" run"]).arg(kalends.get_program());
    shell.envs(kalends.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(world.folder());
    let mut ran = shell.env("KALENDS_PRODUCTION_URL", url).stderr(Stdio::null()).spawn().unwrap();
    let process = format!("/proc/{}", ran.id());
    wait_for("a limit of cores", || {
        let told = |file: &str| fs::read_to_string(format!("{process}/{file}")).unwrap_or_default();
        let is_running = told("comm").trim() == "kalends";
        is_running && told("limits").lines().any(|line| line.starts_with("Max core file size        0 "))
    });
    ran.kill().unwrap();
    ran.wait().unwrap();
}

#[test]
fn nothing_listens_on_any_port_or_socket() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.kalends("run").succeeds();
    world.production("created_at | value\n 2024-01-03 | 5");
    let hold = Hold::by(&world.warehouse_url, "LOCK TABLE kalends_stats.entity_day IN SHARE MODE");
    let running = Running::until_held(&world, Side::Warehouse);
    let own = listening(&running.id().to_string());
    drop(hold);
    running.ends().succeeds();
    assert_eq!(own, Some(Vec::new()));
    // This process would be seen to.
    let _listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(listening("self").map(|found| found.is_empty()), Some(false));
}

/// The sockets of a process on which somebody could connect to it, as the system lists them: TCP in state 0A, others
/// with the flag of a listener, UDP by being there.
fn listening(process: &str) -> Option<Vec<String>> {
    let open = fs::read_dir(format!("/proc/{process}/fd")).ok()?.flatten();
    let links = open.filter_map(|file| fs::read_link(file.path()).ok()).map(|link| link.display().to_string());
    let sockets: Vec<String> =
        links.filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_string())).collect();
    let mut found = Vec::new();
    for (kind, inode, state, listens) in [
        ("tcp", 9, 3, "0A"),
        ("tcp6", 9, 3, "0A"),
        ("udp", 9, 3, "07"),
        ("udp6", 9, 3, "07"),
        ("unix", 6, 3, "00010000"),
    ] {
        for line in fs::read_to_string(format!("/proc/{process}/net/{kind}")).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_ours = fields.get(inode).is_some_and(|inode| sockets.iter().any(|own| own == inode));
            if is_ours && fields.get(state) == Some(&listens) {
                found.push(format!("{kind}: {line}"));
            }
        }
    }
    Some(found)
}
