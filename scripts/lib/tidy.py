"""Runs clang-tidy over every unit of src/ whose verdict is not known yet.

A verdict holds as long as the unit, the project's headers it reads and .clang-tidy stay the same; those that were clean
are remembered by that in build/tidy/. Usage: tidy.py BUILD_FOLDER"""

import hashlib
import os
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

root = pathlib.Path(__file__).resolve().parents[2]
build = pathlib.Path(sys.argv[1]).resolve()
known = root / "build" / "tidy"


def units():
    """The units of src/, each with the project's files it was compiled from, as ninja has recorded them."""
    found = {}
    current = None
    for line in subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout.splitlines():
        if not line.startswith(" "):
            current = []
        elif (path := (build / line.strip()).resolve()).is_relative_to(root):
            current.append(path)
            if path.suffix == ".cpp" and path.is_relative_to(root / "src"):
                found[path] = current
    return found


def verdict_file(unit, files):
    seen = hashlib.sha256((root / ".clang-tidy").read_bytes())
    for path in [unit, *sorted(files)]:
        seen.update(str(path.relative_to(root)).encode())
        seen.update(path.read_bytes())
    return known / seen.hexdigest()


def look(unit):
    return unit, subprocess.run(["clang-tidy", "-p", build, "--quiet", "--warnings-as-errors=*", unit], capture_output=True, text=True)


known.mkdir(parents=True, exist_ok=True)
verdicts = {unit: verdict_file(unit, files) for unit, files in units().items()}
if not verdicts:
    sys.exit("no unit is known to ninja: build first")
due = [unit for unit, verdict in verdicts.items() if not verdict.exists()]
print(f"{len(verdicts)} files, {len(due)} to look at", flush=True)
bad = 0
with ThreadPoolExecutor(os.cpu_count()) as pool:
    for unit, done in pool.map(look, due):
        if done.returncode == 0:
            verdicts[unit].touch()
            continue
        bad += 1
        print(done.stdout + done.stderr, flush=True)
sys.exit(1 if bad else 0)
