"""Packages of npm that a play needs: installed once below build/, from a lock file that names versions and digests, and no host."""

import re
import shutil
import subprocess

from .doorward import ROOT

# What npm says when it cannot ask its registry, or a proxy will not let it. Everything else is a mistake of ours.
OUT_OF_REACH = {"ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ENOTCACHED",
                "ERR_SOCKET_TIMEOUT", "FETCH_ERROR", "E403", "E407", "E502", "E503", "E504"}  # fmt: skip


class OutOfReach(Exception):
    """npm's registry cannot be reached from here."""


def packages(folder):
    """Installs what `folder`/package-lock.json names, unless that was done before; returns the node_modules."""
    there = ROOT / "build/npm" / folder.name
    lock, installed = (folder / "package-lock.json").read_bytes(), there / "installed"
    if installed.exists() and installed.read_bytes() == lock:
        return there / "node_modules"
    assert shutil.which("npm"), "npm is not installed; scripts/setup check installs it"
    there.mkdir(parents=True, exist_ok=True)
    installed.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(folder / name, there)
    # No script of a package's runs, and no version that does not fit the Node that is here.
    try:
        run = subprocess.run(["npm", "ci", "--ignore-scripts", "--engine-strict", "--no-audit", "--no-fund", "--prefer-offline",
                              "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"],
                             cwd=there, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)  # fmt: skip
    except subprocess.TimeoutExpired:
        raise OutOfReach("no answer") from None
    if run.returncode:
        codes = re.findall(r"^npm (?:ERR!|error) code (\w+)", run.stderr, re.M)
        if codes and codes[0] in OUT_OF_REACH:
            raise OutOfReach(codes[0])
        raise AssertionError(f"npm ci in {there}:\n{run.stderr}")
    installed.write_bytes(lock)
    return there / "node_modules"
