"""`scripts/demo` as a person runs it: on a terminal, with a look at the log, until Ctrl-C."""

import os
import pty
import re
import signal
import subprocess
import termios
from pathlib import Path

import pytest
from support.client import RawClient
from support.doorward import BINARY, ROOT
from support.lines import Lines
from support.wait import eventually

CTRL_C = b"\x03"
COLOUR = re.compile(r"\x1b\[\d+m")


class Terminal:
    """A command on a terminal of its own, which signals whoever runs in front of it."""

    def __init__(self, *command, env):
        self.master, slave = pty.openpty()
        settings = termios.tcgetattr(slave)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        name = os.ttyname(slave)
        # The first terminal that the leader of a new session opens is its controlling one.

        def sit_down():
            os.close(os.open(name, os.O_RDWR))
            # A shell cannot trap what was ignored when it began; who runs the tests in the background has it ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=env, start_new_session=True,
                                        preexec_fn=sit_down)  # fmt: skip
        os.close(slave)
        self.output = Lines(Output(self.master))

    def press(self, key):
        os.write(self.master, key)

    def processes(self):
        """Everything that runs in the terminal's session, and so all that the command has started."""
        found = {}
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and session_of(folder) == self.process.pid:
                    found[int(folder.name)] = (folder / "comm").read_text().strip()
            except OSError:
                continue  # it has ended meanwhile
        return found


def session_of(folder):
    """The sixth word of /proc/PID/stat; the second may hold blanks. -1 for what has ended and was not waited for."""
    state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
    return -1 if state == "Z" else int(session)


class Output:
    """What is written to a terminal, line by line; its end is an error there (EIO)."""

    def __init__(self, descriptor):
        self.descriptor, self.rest = descriptor, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.descriptor)

    def __iter__(self):
        while True:
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:
                return
            *lines, self.rest = (self.rest + data).split(b"\n")
            yield from (line.rstrip(b"\r") + b"\n" for line in lines)


@pytest.fixture
def demo(tmp_path):
    terminal = Terminal("scripts/demo", env={**os.environ, "DOORWARD_BIN": str(BINARY), "TMPDIR": str(tmp_path)})
    yield terminal
    for pid in terminal.processes():
        os.kill(pid, 9)
    terminal.process.wait()


def test_demo_until_ctrl_c(demo, tmp_path):
    def line(pattern, within=10):
        return demo.output.wait_for(lambda text: re.search(pattern, COLOUR.sub("", text)), within, pattern)

    address = line(r"Open +http://([\d.]+:\d+)/", 30)[1]
    line("Sign in as +alice / wonderland")
    line("Ctrl-C ends everything")
    assert {"redis-server", "doorward"} <= set(demo.processes().values())

    with RawClient(address) as client:
        assert client.ask("GET", "/public/").status == 200
        assert client.ask("GET", "/admin/nobody").status == 401
    line(r"\d\d:\d\d:\d\d  200  GET    /public/ +nobody +[\d.]+ ms  forward")
    line(r"401  GET    /admin/nobody +nobody +[\d.]+ ms  no_session  no_session")
    assert any("\x1b[" in text for text in demo.output), "colours, as this is a terminal"

    demo.press(CTRL_C)
    assert demo.process.wait(10) == 130
    demo.output.join()
    eventually(lambda: not demo.processes(), 5, "the end of all that was started")
    assert list(tmp_path.iterdir()) == [], "the demo left files behind"
    with pytest.raises(ConnectionRefusedError):
        RawClient(address)
    assert not any("Traceback" in text or "has ended; so does the demo" in text for text in demo.output), demo.output.text()
