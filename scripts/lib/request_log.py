"""Reads doorward's access log (JSON lines) on standard input and prints one readable line a request."""

import json
import sys

colours = sys.stdout.isatty()


def paint(text, code):
    return f"\x1b[{code}m{text}\x1b[0m" if colours else text


def readable(entry):
    status = int(entry.get("status") or 0)
    colour = {2: 32, 3: 36, 4: 33, 5: 31}.get(status // 100, 0)
    took = int(entry.get("total_us") or 0) / 1000
    who = f"user {entry['user']}" if entry.get("user") else "nobody"
    why = f"  {entry['reason']}" if entry.get("reason") else ""
    return (
        f"{str(entry.get('time', ''))[11:19]}  {paint(status, colour)}  {entry.get('method', ''):<6} "
        f"{entry.get('path', ''):<28} {who:<10} {took:7.2f} ms  {entry.get('decision', '')}{why}"
    )


try:
    for line in sys.stdin:
        try:
            print(readable(json.loads(line)), flush=True)
        except (ValueError, TypeError, AttributeError):
            print(line, end="", flush=True)
except KeyboardInterrupt:
    pass
