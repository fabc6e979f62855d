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


def syscalls(stage, peer, variant, seconds):
    """A request's calls by name, by perf where it may look, else by strace, under which the program is much slower."""
    pids = [p for program in peer.programs for p in program.pids()]
    perf, out = _perf_works(), stage.folder / "syscalls"
    watch = _perf(pids) if perf else ["strace", "-f", "-c", *(w for p in pids for w in ("-p", str(p)))]
    watcher = []

    def begin():
        watcher.append(subprocess.Popen([*watch, "-o", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=lambda: os.sched_setaffinity(0, stage.other_cores)))  # fmt: skip
        time.sleep(1)

    def end():
        watcher[0].send_signal(signal.SIGINT)
        watcher[0].wait(30)

    n = _run(stage, peer, variant, "--seconds", seconds, while_connected=begin, after=end)
    calls = {}
    for line in out.read_text().splitlines():
        fields = line.split(";") if perf else line.split()
        if perf and len(fields) > 2 and fields[0].isdigit():
            calls[fields[2].rsplit("sys_enter", 1)[1].lstrip("_") or "total"] = int(fields[0]) / n
        elif not perf and len(fields) > 4 and fields[3].isdigit():
            calls[fields[-1]] = int(fields[3]) / n
    if "total" not in calls:
        raise Trouble(f"no system calls were counted: {out.read_text()[:500]}")
    return {"by": "perf" if perf else "strace", **{k: v for k, v in calls.items() if v >= 0.001}}


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


def instructions(stage, peers, name, variant, requests=2000, **how):
    """User instructions a request, exactly: the difference of a short run and a long one, which start and end alike."""
    totals, top = [], []
    for n in (requests, 3 * requests):
        out = stage.folder / f"callgrind-{n}"
        before = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--trace-children=no"]
        if name.startswith("nginx"):
            how["master"] = "off"
        peer = peers.fresh(name, before=before, **how)
        _run(stage, peer, variant, "--requests", n)
        peers.end(peer)
        stage.empty_logs()
        found = re.search(r"^(?:totals|summary): (\d+)", out.read_text(errors="replace"), re.M)
        if not found:
            raise Trouble(f"callgrind counted nothing for {name}")
        totals.append(int(found.group(1)))
        top = _top(out)
    return {"instructions": (totals[1] - totals[0]) / (2 * requests), "top": top}


def _top(out, most=25):
    """The functions that ran most instructions themselves, of the whole run: (share in %, function)."""
    text = subprocess.run(["callgrind_annotate", "--threshold=100", str(out)], capture_output=True, text=True).stdout
    rows = re.findall(r"^ *[\d,]+ \( *([\d.]+)%\)  (.+)$", text, re.M)
    return [(float(share), re.sub(r" \[.*|^.*?:", "", where, count=1)[:160]) for share, where in rows if where != "PROGRAM TOTALS"][:most]
