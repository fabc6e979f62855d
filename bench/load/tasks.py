"""What is asked of the peers: requests, how they come, and who takes part."""

from dataclasses import dataclass, field

SMALL = "Host: bench.example\r\n"
# What a browser says, about a kilobyte of it with the cookies of the application.
BROWSER = (
    "Host: bench.example\r\nConnection: keep-alive\r\n"
    'sec-ch-ua: "Chromium";v="126", "Not.A/Brand";v="24"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: "Linux"\r\n'
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n"
    "Referer: http://bench.example/projects/42/issues?state=open&sort=updated\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\nCache-Control: max-age=0\r\n"
)
APP_COOKIES = "theme=dark; _ga=GA1.1.1234567890.1719830400; consent=analytics-0.marketing-0.functional-1; tz=Europe%2FBerlin; "


def head(path="/", lines=SMALL, cookie="sid=bench-session-########", method="GET", more=""):
    if cookie:
        lines += f"Cookie: {APP_COOKIES if lines == BROWSER else ''}{cookie}\r\n"
    return f"{method} {path} HTTP/1.1\r\n{lines}{more}\r\n"


@dataclass
class Variant:
    """One row: a peer, and what it is asked."""

    label: str
    peer: str
    head: str
    args: list = field(default_factory=list)


@dataclass
class Task:
    name: str
    title: str
    variants: list
    base: str = "nginx+lua"  # the label that ratios are of
    rate: float = 0  # requests a second; 0 is closed loop
    note: str = ""


def same(peers, text, *args):
    """Every peer is asked the same."""
    return [Variant(p, p, text, list(args)) for p in peers]


WEBSOCKET = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YmVuY2gvbG9hZC8wMDAwMQ==\r\n"
FORM = "Content-Type: application/octet-stream\r\nContent-Length: 65536\r\n"
DOORWARD, LUA, PLAIN, HAPROXY, RELAY = "doorward", "nginx+lua", "nginx, no auth", "haproxy, no auth", "relay"


def rounds(all_peers):
    """The tasks measured by CPU time, at saturation unless they say otherwise."""
    fast = [DOORWARD, LUA, PLAIN, HAPROXY, RELAY]
    return [
        Task("main", "Keep-alive GET, 2 bytes, 64 connections", same(all_peers, head(), "--length", 2)),
        Task("10k", "10 KiB answers", same(fast, head("/size/10240"), "--length", 10240)),
        Task("browser", "Heads of a browser's size (1 KB)", same(fast, head(lines=BROWSER), "--length", 2)),
        Task("256", "256 connections", same(fast, head(), "--connections", 256, "--length", 2)),
        Task("unix", "Unix sockets to Redis and to the application",
             [Variant("doorward, unix sockets", "doorward unix", head(), ["--length", 2]), *same([LUA], head(), "--length", 2)],
             note="doorward's neighbours on unix sockets; clients, and all of nginx, on TCP."),
        Task("tls", "TLS 1.3 keep-alive",
             [Variant(DOORWARD, "doorward tls", head(), ["--tls", "--length", 2]),
              Variant(LUA, "nginx+lua tls", head(), ["--tls", "--length", 2])],
             note="Handshakes are done before the measurement begins."),
        Task("post", "POST of 64 KiB", same([DOORWARD, LUA, PLAIN], head(method="POST", more=FORM), "--body", 65536, "--length", 2)),
        Task("websocket", "WebSocket, frames of 32 bytes echoed", same([DOORWARD, LUA], head("/ws", more=WEBSOCKET), "--frame", 32)),
        Task("401", "401 without a cookie", same([DOORWARD, LUA], head(cookie=""), "--status", 401)),
        Task("forged", "401 for a session id that is not in Redis",
             same([DOORWARD, LUA], head(cookie="sid=forged-session-########"), "--status", 401)),
        Task("junk", "401 for a cookie that is no session id, against a route that always answers 401",
             [Variant("doorward, junk cookie", DOORWARD, head(cookie="sid=%%%junk%%%########"), ["--status", 401]),
              Variant("doorward, static 401", DOORWARD, head("/static-401"), ["--status", 401]),
              Variant(LUA, LUA, head(cookie="sid=%%%junk%%%########"), ["--status", 401])]),
        Task("new", "1,000 new connections a second, one request each", same([DOORWARD, LUA, PLAIN], head(), "--fresh", "--length", 2),
             rate=1000),
        Task("cache", "Without the near-cache and with it",
             [Variant(DOORWARD, DOORWARD, head(), ["--length", 2]),
              Variant("doorward, near-cache", "doorward near-cache", head(), ["--length", 2])], base=DOORWARD,
             note="10,000 sessions, asked for at random; a copy is good for 5 s, so some requests still ask Redis."),
        Task("workers", "One worker and two, allowed on both cores",
             [Variant("one worker", "doorward one worker, both cores", head(), ["--length", 2]),
              Variant("two workers", "doorward two workers, both cores", head(), ["--length", 2])], base="one worker",
             note="Redis, the application and the load generator share the second core with the proxy here."),
    ]  # fmt: skip


def latency(rate, share):
    return Task(f"latency-{share}", f"Latency at {share} % of what nginx+lua can do: {rate:,.0f} requests a second, open loop",
                same([DOORWARD, LUA], head(), "--length", 2), rate=rate, note="Counted from the time a request was due.")  # fmt: skip


# ---- how cost grows ----

# A configuration holds 50,000 values at most, five of them a route.
ROUTES = [1, 10, 100, 1000, 9900]
SESSIONS = [10_000, 100_000, 1_000_000, 10_000_000]


def more_headers(n):
    return "".join(f"X-Extra-{i:02d}: abcdefghijklmnopqrstuvwx\r\n" for i in range(n))


def growth():
    both = [DOORWARD, LUA]
    headers = [Variant(f"{p}, {n} more headers", p, head(more=more_headers(n)), ["--length", 2]) for n in (0, 10, 20, 40, 80) for p in both]
    bodies = [Variant(f"{p}, {n:,} bytes", p, head(f"/size/{n}"), ["--length", n]) for n in (1, 1024, 10_240, 102_400, 1_048_576) for p in both]
    return [
        Task("headers", "Growth with header fields of 36 bytes", headers, base="doorward, 0 more headers"),
        Task("bodies", "Growth with the size of answers", bodies, base="doorward, 1 bytes"),
    ]  # fmt: skip


def routes_yaml(n):
    """n - 1 routes in front of the two that are always there; the last of them is asked for."""
    return "".join(f"  - {{ path: /area-{i}/items/*, upstream: app }}\n" for i in range(n - 1))


def route_path(n):
    return f"/area-{n - 2}/items/7" if n > 1 else "/area/items/7"
