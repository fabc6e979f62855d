"""An upstream for what lasts. `python3 -m support.sized_app` prints its address.

It answers with the user it is told of; to a request with a body with the user, the body's length and its CRC; to
`.../bytes/N` with N bytes of that user's own.
"""

import asyncio
import re
import zlib

USER = re.compile(rb"\r\nx-user-id: ([^\r]*)", re.I)
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.I)
BYTES = re.compile(rb"\A\S+ /(?:\S*/)?bytes/(\d+) ")


def bytes_of(user, count):
    """What this user, and nobody else, gets from `/bytes/COUNT`."""
    line = user + b"\n"
    return (line * (count // len(line) + 1))[:count]


def receipt(user, body):
    return b"%s %d %08x" % (user, len(body), zlib.crc32(body))


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            user = b",".join(USER.findall(head)) or b"nobody"
            length, wanted = LENGTH.search(head), BYTES.match(head)
            body = user
            if length:
                body = receipt(user, await reader.readexactly(int(length[1])))
            elif wanted:
                body = bytes_of(user, int(wanted[1]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body))
            writer.write(body)
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
