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
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "REDIS_PASSWORD": "secret", "SID_KEY": "0123456789abcdef0123456789abcdef", "SESSION_SECRET": "secret",
               "HOME": "/nonexistent"}
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


def write_certificates(content, folder):
    """The files of certificates and keys that a configuration names, beside it: all the same one. `.pem` and `.pub` are the
    halves of a key that tokens are signed with."""
    texts = {"crt": certificate[0], "key": certificate[1], "pem": token_key[0], "pub": token_key[1]}
    for name in set(re.findall(r"[\w-]+\.(?:crt|key|pem|pub)\b", content)):
        (folder / name).write_text(texts[name[-3:]])


def new_certificate():
    """(certificate, key)"""
    with tempfile.TemporaryDirectory() as folder:
        cert, key = Path(folder) / "c", Path(folder) / "k"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x",
                        "-addext", "subjectAltName=DNS:x.test", "-keyout", key, "-out", cert],
                       check=True, capture_output=True, timeout=20)  # fmt: skip
        return cert.read_text(), key.read_text()


def new_token_key():
    """(private, public)"""
    def openssl(*words, given=""):
        return subprocess.run(["openssl", *words], input=given, check=True, capture_output=True, text=True, timeout=20).stdout

    private = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    return private, openssl("pkey", "-pubout", given=private)


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


certificate, token_key = new_certificate(), new_token_key()
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
                write_certificates(content, Path(folder))
                judge(f"{name}:{line}", check(file))
    judge(name, " ".join(f"no such file: {target}" for target in broken_links(page, text)))

if len(sys.argv) > 2:
    Path(sys.argv[2]).write_text(f"{passed} {failed}\n")
sys.exit(failed > 0)
