"""Upgraded connections with both ends in the play's hands."""

import queue
import select
import socket
import threading

from .client import build
from .upstream import Closed

UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def handshake(target="/public/x", headers=(), session=None):
    """The bytes of a request for a tunnel."""
    pairs = [*UPGRADE.items(), *dict(headers).items()] + ([("Cookie", f"sid={session}")] if session else [])
    return build("GET", target, pairs)


def finish(connection):
    """Half-closes: nothing more will be sent, and what comes is still read."""
    connection.sock.shutdown(socket.SHUT_WR)


def is_silent(end, seconds):
    """True when neither a byte nor an end comes for that long."""
    return not end.buffer and not select.select([end.sock], [], [], seconds)[0]


def lines(count):
    """That many bytes, of which none could be lost or change its place unnoticed."""
    return b"".join(b"%015d\n" % n for n in range(-(-count // 16)))[:count]


class FarEnds:
    """The script of an upstream that leaves its connections to the play: each comes out of `next`, with its request read."""

    def __init__(self):
        self._connections = queue.Queue()
        self._over = threading.Event()

    def __call__(self, request, connection):
        self._connections.put(connection)
        self._over.wait(60)
        raise Closed

    def next(self):
        return self._connections.get(timeout=5)

    def close(self):
        self._over.set()

    def tunnel(self, client, **asked):
        """Opens a tunnel from that client; returns the far end."""
        client.send(handshake(**asked))
        far = self.next()
        far.send(SWITCHED)
        assert client.response(upgrade=True).status == 101
        return far
