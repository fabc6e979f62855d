"""An upstream for crowds: answers every GET with the user it is told of. `python3 -m support.echo_app` prints its address."""

import asyncio
import re

USER = re.compile(rb"\r\nx-user-id: ([^\r]*)", re.I)


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        out = []
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            users = USER.findall(self.buffer[: end + 2])
            self.buffer = self.buffer[end + 4 :]
            body = b",".join(users) or b"nobody"
            out.append(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        self.transport.write(b"".join(out))


async def main():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=2048)
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
