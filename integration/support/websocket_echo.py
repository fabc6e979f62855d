"""A WebSocket application that says back what it hears. `python3 -m support.websocket_echo` prints its address.

It does as it is told by texts that begin with "please ".
"""

import asyncio
import json
import resource

import websockets

PIECE = 64 * 1024


def pieces(message):
    return [message[n : n + PIECE] for n in range(0, len(message), PIECE)]


async def serve(socket):
    async for message in socket:
        if message == "please tell the headers":
            await socket.send(json.dumps(list(socket.request_headers.raw_items())))
        elif message == "please ping":
            await (await socket.ping())
            await socket.send("pinged")
        elif isinstance(message, str) and message.startswith("please close with "):
            await socket.close(int(message.rpartition(" ")[2]), "as you wish")
        else:
            await socket.send(pieces(message) if len(message) > PIECE else message)


async def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    # No clock of its own: a busy machine is no reason to close.
    async with websockets.serve(serve, "127.0.0.1", 0, max_size=None, ping_interval=None, close_timeout=60, backlog=2048) as server:
        print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())
