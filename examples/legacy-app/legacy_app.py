#!/usr/bin/env python3
"""An application that knows nothing of sessions: it believes what stands in its request headers.

That is safe only behind something that takes those headers away from clients and sets them itself. Each page shows
what arrived, who the application therefore thinks is asking, and which headers must never have come this far.

    legacy_app.py --listen 127.0.0.1:3000      # or --listen unix:/run/app.sock; port 0 takes a free one and prints it
"""

import argparse
import html
import json
import os
import socket
import socketserver
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

BELIEVED = ("X-User-Id", "X-User-Role", "X-User-Name")

# Spellings that some server or framework reads as one of the names above, and names that are doorward's own.
NEVER = ("X_User_Id", "X-User_Id", "X_User-Id", "X_User_Role", "X_User_Name", "Doorward-Grant", "Doorward-Grant-Options")

STYLE = """
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
  body { max-width: 48rem; margin: 0 auto; padding: 1rem; }
  nav a { margin-right: 1rem; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; }
  caption { text-align: left; font-weight: 600; padding: .5rem 0; }
  th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8888; vertical-align: top; }
  th { white-space: nowrap; }
  td, pre { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
  pre { padding: .8rem; border: 1px solid #8888; overflow-x: auto; }
  button { font: inherit; padding: .4rem 1rem; }
  @media (max-width: 40rem) { th, td { display: block; } th { border-bottom: 0; padding-bottom: 0; } }
"""

FORGERY = """
<p>A client may send any header it likes. This request claims to be Mallory, an administrator, in several spellings:</p>
<pre>curl -s {origin}/public/ -H 'Accept: application/json' \\
  -H 'X-User-Id: mallory' -H 'x_user_id: mallory' -H 'X-User_Id: mallory' \\
  -H 'X-User-Role: admin' -H 'X_User_Role: admin' -H 'X-User-Name: Mallory' \\
  -H 'Doorward-Grant: {{"userId":"mallory"}}' -H 'Connection: X-User-Id'</pre>
<p>The answer lists every header that arrived here. None of these is among them, and nobody is signed in.</p>
"""


def judge(headers):
    """What the application makes of its request headers, as plain data."""

    def came(name):
        return [value for n, value in headers if n.lower() == name.lower()]

    user = {name: unquote(came(name)[0]) if came(name) else None for name in BELIEVED}
    return {
        "user": user["X-User-Id"],
        "role": user["X-User-Role"],
        "name": user["X-User-Name"],
        "headers": headers,
        "forged": [name for name in NEVER if came(name)] + [name for name in BELIEVED if len(came(name)) > 1],
    }


def page(path, seen, origin):
    def rows(pairs):
        return "".join(f'<tr><th scope="row">{html.escape(k)}</th><td>{html.escape(v)}</td></tr>' for k, v in pairs)

    if seen["user"]:
        who = f'Hello {html.escape(seen["name"] or seen["user"])}'
        line = f'You are user <b>{html.escape(seen["user"])}</b> with role <b>{html.escape(seen["role"] or "none")}</b>.'
        door = '<form method="post" action="/logout"><button type="submit">Sign out</button></form>'
    else:
        who, line = "Hello, whoever you are", "No identity came with this request."
        door = '<p><a href="/login?next=/">Sign in</a></p>'
    where = {"/admin/": "The administrators' page", "/public/": "The public page"}.get(path, "The application")
    checks = [(name, "ARRIVED" if name in seen["forged"] else "never arrived") for name in NEVER]
    checks += [(name, "MORE THAN ONCE" if name in seen["forged"] else "at most once") for name in BELIEVED]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{who}</title>
<style>{STYLE}</style>
</head>
<body>
<nav aria-label="Pages"><a href="/">Home</a><a href="/admin/">Administration</a><a href="/public/">Public</a></nav>
<main>
<p>{where}</p>
<h1 id="who">{who}</h1>
<p id="identity">{line}</p>
{door}
<div class="scroll"><table id="headers"><caption>Headers that arrived</caption><tbody>{rows(seen["headers"])}</tbody></table></div>
<div class="scroll"><table id="forged"><caption>Headers that must not arrive</caption><tbody>{rows(checks)}</tbody></table></div>
<h2>Try to forge it</h2>
{FORGERY.format(origin=html.escape(origin))}
</main>
</body>
</html>
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 75
    wbufsize = -1  # head and body leave together

    def setup(self):
        # Nagle's algorithm is TCP's; a unix socket has none to switch off.
        self.disable_nagle_algorithm = self.request.family != socket.AF_UNIX
        super().setup()

    def do_GET(self):
        # A body that nobody reads would be taken for the next request on this connection, with whatever headers it has.
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        path = urlsplit(self.path).path
        seen = judge(self.headers.items())
        status = 200 if path in ("/", "/admin/", "/public/") else 404
        if "text/html" in self.headers.get("Accept", ""):
            origin = f'{self.headers.get("X-Forwarded-Proto", "http")}://{self.headers.get("Host", "localhost")}'
            self.answer(status, "text/html; charset=utf-8", page(path, seen, origin))
        else:
            self.answer(status, "application/json", json.dumps({"path": self.path, **seen}, indent=2) + "\n")

    do_HEAD = do_GET

    def answer(self, status, content_type, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "private, no-cache")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def address_string(self):
        return "client"  # a unix socket's peer has no address

    def log_request(self, code="-", size="-"):
        pass  # doorward keeps the access log


class TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


def listen(where):
    if where.startswith("unix:"):
        path = where[len("unix:"):]
        if os.path.exists(path):
            os.unlink(path)
        return UnixServer(path, Handler), where
    host, _, port = where.rpartition(":")
    server = TcpServer((host.strip("[]"), int(port)), Handler)
    return server, f"{host}:{server.server_address[1]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:3000", help="host:port or unix:/path")
    server, where = listen(parser.parse_args().listen)
    with server:
        print(f"listening on {where}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
