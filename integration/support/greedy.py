"""Clients that send requests by the thousand in one piece. `python3 -m support.greedy ADDRESS CLIENTS REQUESTS [read]`

Without `read` they ask for pages of 4 KiB (support/sized_app.py) and never read one. With it they ask for little, read
whatever comes, and begin anew when all has come; the number of answers so far is printed every second.
"""

import asyncio
import socket
import sys
import time


def requests(path, count):
    return f"GET {path} HTTP/1.1\r\nHost: app.test\r\n\r\n".encode() * count


async def send(writer, piece):
    writer.write(piece)
    await writer.drain()


async def client(address, count, reads, told):
    host, _, port = address.rpartition(":")
    sock = socket.socket()
    if not reads:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((host, int(port)))
    reader, writer = await asyncio.open_connection(sock=sock)
    if not reads:
        writer.transport.pause_reading()
        await send(writer, requests("/public/bytes/4096", count))
        await asyncio.Event().wait()
    piece = requests("/public/x", count)
    while True:
        sending = asyncio.create_task(send(writer, piece))
        for _ in range(count):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            assert await reader.readexactly(6) == b"nobody"
            told[0] += 1
        await sending


async def main(address, clients, count, *reads):
    told = [0]
    tasks = [asyncio.create_task(client(address, int(count), bool(reads), told)) for _ in range(int(clients))]
    while True:
        done, _ = await asyncio.wait(tasks, timeout=1, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        print(f"{time.monotonic():.3f}: {told[0]} answers", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
