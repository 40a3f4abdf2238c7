"""All mutants of the code in one program: what tests/mutants writes into its copy of the sources.

Each mutant is `if on(7) { mutant } else { original }` around the smallest expression that it changes, so the mutant
of an operator is one of the tree, whatever binds more strongly in the text.
"""

import collections
import json
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A room, or one file of it, whose name ends with .rs.
ROOMS = os.environ.get("MUTANTS_ROOMS", "").split() or [
    "accounts",
    "calendar",
    "exports",
    "guard",
    *(
        f"sync/{file}"
        for file in ["judge", "load", "month", "months", "prepare", "rebuild", "repair", "settle", "settling"]
    ),
]
# In the copy alone. One slot: the mutant that is on, and a file in which those that are reached are noted, a byte each.
SWITCH = r"""//! Which mutant is on.
#![allow(missing_docs, unsafe_code)]

static SLOT: [u8; 320] = *b"KALENDS MUTANT @";
static STATE: std::sync::OnceLock<(usize, usize)> = std::sync::OnceLock::new();

unsafe extern "C" {
    fn mmap(place: usize, bytes: usize, protection: i32, flags: i32, file: i32, offset: i64) -> usize;
}

pub fn on(mutant: usize) -> bool {
    let (chosen, noted) = *STATE.get_or_init(|| {
        let slot = String::from_utf8_lossy(std::hint::black_box(&SLOT)).into_owned();
        let (number, path) = slot[15..].trim_end().split_once(' ').unwrap_or(("0", ""));
        let opened = || std::fs::OpenOptions::new().read(true).write(true).open(path).ok();
        let file = Some(path).filter(|path| !path.is_empty()).and_then(|_| opened());
        let place = file.map_or(0, |file| unsafe { mmap(0, 8192, 3, 1, std::os::fd::AsRawFd::as_raw_fd(&file), 0) });
        (number.parse().unwrap_or(0), if place == usize::MAX { 0 } else { place })
    });
    if noted != 0 {
        unsafe { *((noted + mutant) as *mut u8) = 1 };
    }
    chosen == mutant
}
"""
MARK, WIDTH = b"KALENDS MUTANT ", 320
BOX = b" as Box<dyn Iterator<Item = _> + '_>"


def listed():
    """What cargo-mutants would do, each with a number and with a name that stays when lines move."""
    files = [file for room in ROOMS for file in ([room] if room.endswith(".rs") else [f"{room}.rs", f"{room}/**"])]
    files = [part for file in files for part in ("-f", f"src/{file}")]
    # Of object stores, which the program has with the feature `stores` only, and tested by tests/stores.
    files += ["-e", "src/exports/bucket.rs", "-e", "src/exports/bucket/**", "-e", "src/exports/lock.rs"]
    said = subprocess.run(
        ["cargo", "mutants", "--list", "--json", *files], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    texts, mutants, times = {}, [], collections.Counter()
    for number, found in enumerate(json.loads(said.stdout), 1):
        text = texts.setdefault(found["file"], (ROOT / found["file"]).read_text())
        lines = text.splitlines(keepends=True)
        start, end = (
            len("".join(lines[: at["line"] - 1] + [lines[at["line"] - 1][: at["column"] - 1]]).encode())
            for at in (found["span"]["start"], found["span"]["end"])
        )
        what = re.sub(r"^\S+:\d+:\d+: ", "", found["name"])
        name = f"{found['file']}: {what}, in `{lines[found['span']['start']['line'] - 1].strip()}`"
        times[name] += 1
        name += f" ({times[name]})" if times[name] > 1 else ""
        returns = (found["function"] or {}).get("return_type", "")
        mutants.append({**found, "number": number, "name": name, "at": (start, end), "returns": returns})
    return mutants


def placed(mutant, tree, text):
    """The part of the source that a mutant replaces, and what it puts there; None where that is no expression."""
    start, end = mutant["at"]
    node = tree.root_node.descendant_for_byte_range(start, end)
    while mutant["genre"] == "BinaryOperator" and node.end_byte - node.start_byte > end - start:
        node = next((child for child in node.children if child.start_byte <= start and end <= child.end_byte), None)
    parent = node and node.parent
    put = mutant["replacement"].encode()
    match mutant["genre"]:
        case "FnValue":
            # What returns an iterator without a name returns a box in the copy, as its mutants are of other types.
            return (
                ((start, end), b"Box::new(%b)" % put + BOX)
                if "impl Iterator" in mutant["returns"]
                else ((start, start), put)
            )
        case "BinaryOperator" if parent and parent.type in ("binary_expression", "compound_assignment_expr"):
            return (parent.start_byte, parent.end_byte), text[parent.start_byte : start] + put + text[
                end : parent.end_byte
            ]
        case "UnaryOperator" if parent and parent.type == "unary_expression":
            return (parent.start_byte, parent.end_byte), text[end : parent.end_byte]
        case "MatchArmGuard":
            return (start, end), put
        case "MatchArm":
            while node.type != "match_arm":
                node = node.parent
            pattern = node.child_by_field_name("pattern")
            guard = pattern.child_by_field_name("condition")
            return (
                ((guard.start_byte, guard.end_byte), b"false")
                if guard
                else ((pattern.end_byte, pattern.end_byte), None)
            )
        case "StructField":
            while node.type != "struct_expression":
                node = node.parent
            whole = text[node.start_byte : start] + re.sub(rb"^\s*,", b"", text[end : node.end_byte])
            return (node.start_byte, node.end_byte), whole
    return None


def mutated(text, mutants, parser):
    """The source with all its mutants, each between marks by which a message of the compiler is traced to it."""
    tree = parser.parse(text)
    regions = collections.defaultdict(list)
    for mutant in mutants:
        place = placed(mutant, tree, text)
        if place is None:
            mutant["untried"] = "a `let` in its operands"
        else:
            regions[place[0], mutant["genre"] == "FnValue"].append((mutant["number"], place[1]))
    ordered = sorted(regions, key=lambda region: (region[0][0], not region[1], -region[0][1]))

    def marked(number, inside):
        return b"/*%d{*/%b/*}%d*/" % (number, inside, number)

    def rendered(start, end, inner):
        out, at = b"", start
        while inner:
            (first, last), whole = inner[0]
            nested = [region for region in inner[1:] if region[0][0] >= first and region[0][1] <= last and last > first]
            alternatives, inner = regions[inner[0]], inner[1 + len(nested) :]
            out += text[at:first]
            switches = [(number, b"crate::mutant::on(%d)" % number, put) for number, put in alternatives]
            if whole:
                out += b"".join(marked(number, b"if %b { return %b; } " % (on, put)) for number, on, put in switches)
                out += b"Box::new({ " + rendered(first, last, nested) + b" })" + BOX if last > first else b""
            elif first == last:
                out += b"".join(marked(number, b" if !%b" % on) for number, on, _ in switches)
            else:
                chain = b"".join(
                    marked(number, b"if %b { %b }" % (on, put)) + b" else " for number, on, put in switches
                )
                out += marked(10000 + switches[0][0], b"(" + chain + b"{ " + rendered(first, last, nested) + b" })")
            at = last
        return out + text[at:end]

    return rendered(0, len(text), ordered)
