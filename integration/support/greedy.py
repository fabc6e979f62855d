"""Clients that send requests by the thousand in one piece. `python3 -m support.greedy ADDRESS CLIENTS REQUESTS [read]`

Without `read` they never read an answer. With it they read whatever comes, look whether it is right and in its place,
and begin anew when all have come; the number of answers so far is printed every second.
"""

import asyncio
import sys
import time


def requests(count):
    return b"".join(b"GET /public/%05d HTTP/1.1\r\nHost: app.test\r\n\r\n" % n for n in range(count))


async def send(writer, piece):
    writer.write(piece)
    await writer.drain()


async def client(address, count, reads, told):
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=65536 if reads else 1)
    piece = requests(count)
    if not reads:
        reader._transport.pause_reading()
        await send(writer, piece)
        await asyncio.Event().wait()
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
