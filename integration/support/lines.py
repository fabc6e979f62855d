"""The lines a program writes, as they come."""

import json
import threading
import time


class Lines:
    """Collects the lines of a pipe on a thread of its own, so that the program never waits for its reader."""

    def __init__(self, pipe):
        self._lines = []
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                with self._news:
                    self._lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def __iter__(self):
        with self._news:
            return iter(list(self._lines))

    def text(self):
        return "\n".join(self)

    def join(self):
        self._thread.join(5)

    def wait_for(self, predicate, within=5.0, what="a line"):
        """The first value that `predicate(line)` returns and that is true; lines already there count."""
        deadline, seen = time.monotonic() + within, 0
        with self._news:
            while True:
                for line in self._lines[seen:]:
                    found = predicate(line)
                    if found:
                        return found
                seen = len(self._lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    end = "the program ended" if self._ended else f"nothing came within {within} s"
                    raise AssertionError(f"waiting for {what}: {end}; lines so far:\n" + "\n".join(self._lines[-30:]))
                self._news.wait(left)

    def json(self):
        """The lines that are JSON objects."""
        return [entry for entry in map(as_json, self) if entry is not None]

    def wait_for_json(self, predicate, within=5.0, what="a JSON line"):
        def check(line):
            entry = as_json(line)
            return entry if entry is not None and predicate(entry) else None

        return self.wait_for(check, within, what)


def as_json(line):
    if not line.startswith("{"):
        return None
    try:
        return json.loads(line)
    except ValueError:
        return None
