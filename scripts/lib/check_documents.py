"""Loads every configuration that the documents and examples show: `check_documents.py BINARY [COUNT_FILE]`.

A ```yaml block of README.md, CONTRIBUTING.md or docs/ is a whole configuration when it has `routes:` at its left margin; it
must pass `doorward check`. So must every file of conf/ and examples/. Links to files of this repository must lead somewhere.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "REDIS_PASSWORD": "secret", "HOME": "/nonexistent"}
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
FILES = sorted([*ROOT.glob("conf/**/*.yaml"), *ROOT.glob("examples/**/*.yaml")])

binary = Path(sys.argv[1]).resolve()
passed = failed = 0


def judge(what, problem):
    global passed, failed
    if problem:
        failed += 1
        print(f"{what}: {problem}")
    else:
        passed += 1


def check(file):
    try:
        run = subprocess.run([binary, "check", "-c", file], capture_output=True, text=True, env=ENVIRONMENT, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as e:
        return str(e)
    return "" if run.returncode == 0 else f"exit code {run.returncode}\n{run.stdout}{run.stderr}"


def blocks(text):
    """(line number, content) of each yaml block; a block inside a list is unindented."""
    for match in re.finditer(r"^( *)```ya?ml\n(.*?)^\1```", text, re.M | re.S):
        indent = match[1]
        content = re.sub(rf"^{indent}", "", match[2], flags=re.M)
        yield text[: match.start()].count("\n") + 1, content


def broken_links(page, text):
    outside_code = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", outside_code):
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
            yield target


for file in FILES:
    judge(file.relative_to(ROOT), check(file))
for page in PAGES:
    text = page.read_text()
    name = page.relative_to(ROOT)
    for line, content in blocks(text):
        if re.search(r"^routes:", content, re.M):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "doorward.yaml"
                file.write_text(content)
                judge(f"{name}:{line}", check(file))
    judge(name, " ".join(f"no such file: {target}" for target in broken_links(page, text)))

if len(sys.argv) > 2:
    Path(sys.argv[2]).write_text(f"{passed} {failed}\n")
sys.exit(failed > 0)
