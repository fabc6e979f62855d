"""What can be counted instead of timed: system calls, heap allocations, instructions."""

import json
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import time

from stage import Trouble, compiled

# Of these each is shown; the rest only in the sum.
CALLS = ("recvfrom recvmsg read readv sendto sendmsg write writev epoll_wait epoll_pwait epoll_ctl accept4 close futex "
         "getpid ioctl timerfd_settime clock_gettime").split()  # fmt: skip


def _run(stage, peer, variant, *args, while_connected=lambda: None, after=lambda: None):
    """Requests answered in a closed loop; the two functions are called around the measured part."""
    head = stage.folder / "head"
    head.write_bytes(variant.head.encode())
    with stage.load("--port", peer.port, "--head", head, *variant.args, *args) as load:
        while_connected()
        figures = json.loads(load.go(300))
        after()
    if figures["errors"]:
        raise Trouble(f"{variant.label}: {figures['errors']} errors: {figures['complaint']}")
    return figures["requests"]


# ---- system calls ----


def _perf(pids):
    events = ",".join(["raw_syscalls:sys_enter", *(f"syscalls:sys_enter_{c}" for c in CALLS)])
    return ["perf", "stat", "-x", ";", "-e", events, "-p", ",".join(map(str, pids))]


def _perf_works():
    if not shutil.which("perf"):
        return False
    return subprocess.run(["perf", "stat", "-e", "raw_syscalls:sys_enter", "true"], capture_output=True).returncode == 0


def _counted(stage, peer, variant, seconds, watch, out):
    """The watcher looks on while requests are answered. Returns how many were."""
    watcher = []

    def begin():
        watcher.append(subprocess.Popen([*watch, "-o", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=lambda: os.sched_setaffinity(0, stage.other_cores)))  # fmt: skip
        time.sleep(1)

    def end():
        watcher[0].send_signal(signal.SIGINT)
        watcher[0].wait(30)

    return _run(stage, peer, variant, "--seconds", seconds, while_connected=begin, after=end)


def syscalls(stage, peer, variant, seconds):
    """A request's calls by name: by strace, which slows the program so much that it is saturated for certain; and, where
    perf may look, by perf, which hardly does."""
    pids = [p for program in peer.programs for p in program.pids()]
    out = stage.folder / "syscalls"
    for _ in range(2):  # a program so slow opens more connections to the application, which are not to be counted
        n = _counted(stage, peer, variant, seconds, ["strace", "-f", "-c", *(w for p in pids for w in ("-p", str(p)))], out)
    rows = [line.split() for line in out.read_text().splitlines()]
    slowed = {r[-1]: int(r[3]) / n for r in rows if len(r) > 4 and r[3].isdigit()}
    if "total" not in slowed:
        raise Trouble(f"no system calls were counted: {out.read_text()[:500]}")
    found = {"saturated": slowed.pop("total"), "by_name": slowed}
    if _perf_works():
        n = _counted(stage, peer, variant, seconds, _perf(pids), out)
        rows = [line.split(";") for line in out.read_text().splitlines()]
        counts = {r[2].rsplit("sys_enter", 1)[1].lstrip("_"): int(r[0]) / n for r in rows if len(r) > 2 and r[0].isdigit()}
        found.update(as_it_runs=counts.pop("", 0), as_it_runs_by_name=counts)
    return found


# ---- heap allocations ----


def allocations(stage, peers, name, variant, requests=20_000):
    """A request's calls of malloc and its kin, when everything has been warm for as long."""
    out = stage.folder / "allocations"
    out.write_bytes(bytes(4096))
    peer = peers.fresh(name, env={"LD_PRELOAD": compiled("allocations"), "COUNT_ALLOCATIONS": str(out)})
    with open(out, "rb") as f, mmap.mmap(f.fileno(), 8, prot=mmap.PROT_READ) as counter:
        seen = []
        look = lambda: seen.append(struct.unpack("<Q", counter[:8])[0])  # noqa: E731
        _run(stage, peer, variant, "--requests", requests)
        n = _run(stage, peer, variant, "--requests", requests, while_connected=look, after=look)
    peers.end(peer)
    stage.empty_logs()
    if not seen[0]:
        raise Trouble(f"{name}: allocations are not counted")
    return {"allocations": (seen[1] - seen[0]) / n, "total": seen[1] - seen[0], "requests": n}


# ---- instructions ----


def instructions(stage, peers, name, variant, requests=8000, **how):
    """User instructions a request, of a warm program, counted from one quiet moment to another; the median of three."""
    out = stage.folder / "callgrind"
    if name.startswith("nginx"):
        how["master"] = "off"
    peer = peers.fresh(name, before=["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--trace-children=no"], **how)
    control = lambda what: subprocess.run(["callgrind_control", what, str(peer.programs[0].process.pid)], check=True, capture_output=True)  # noqa: E731
    _run(stage, peer, variant, "--requests", requests // 2)
    found = []
    for i in (1, 2, 3):
        n = _run(stage, peer, variant, "--requests", requests, while_connected=lambda: control("--zero"), after=lambda: control("--dump"))
        part = out.with_suffix(f".{i}")
        total = int(re.search(r"^totals: (\d+)", part.read_text(errors="replace"), re.M).group(1))
        # What was under way at the first moment is credited with everything that it called.
        each = {f: count / n for f, count in _by_function(part).items() if count < 0.9 * total}
        found.append({"instructions": total / n, "top": sorted(([f, round(n, 1)] for f, n in each.items()), key=lambda x: -x[1])[:40]})
    peers.end(peer)
    stage.empty_logs()
    found.sort(key=lambda f: f["instructions"])
    return {**found[1], "all": [f["instructions"] for f in found]}


def _by_function(out):
    """Instructions that each function ran itself; those of its inlined parts are its own."""
    text = subprocess.run(["callgrind_annotate", "--threshold=100", "--show-percs=no", "--auto=no", str(out)], capture_output=True, text=True).stdout
    found = {}
    for count, where in re.findall(r"^ *([\d,]+)  (\S.*:.+)$", text.split("file:function", 1)[-1], re.M):
        function, _, library = where.partition(" [")
        function = _short(function.split(":", 1)[1])
        if function.startswith("0x") and library:
            function = f"{library.rsplit('/', 1)[-1].rstrip(']')}, without a name"
        found[function] = found.get(function, 0) + int(count.replace(",", ""))
    if not found:
        raise Trouble(f"callgrind counted nothing: {text[:500]}")
    return found


def _short(function):
    """Without template arguments, parameters and clones' numbers."""
    out, depth = "", 0
    for c in function.replace("(anonymous namespace)::", "").replace("operator<", "operator_less").replace("->", ""):
        depth += (c in "<(") - (c in ">)")
        if depth == 0 and c not in ">)":
            out += c
    out = re.sub(r"'\d+$| \[clone.*| const(?=$|::)", "", out.strip())
    return out.split(" ")[-1] or function
