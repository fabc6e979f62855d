#!/usr/bin/env python3
"""A login service for doorward: the whole of it, on Python's standard library.

It does one thing: compare a name and a password with its own database, and say who that is; and a code besides, where
doorward asks for a login of level 2. It knows no sessions, no cookies and no Redis; doorward takes the grant from the
response and does the rest.

    identity_service.py add-user --db users.db --role admin --display 'Alice Schäfer' alice   # password on stdin
    identity_service.py add-user --db users.db --second-factor bob                            # prints what makes codes
    identity_service.py serve    --db users.db --listen 127.0.0.1:4000
"""

import argparse
import base64
import getpass
import hashlib
import hmac
import html
import json
import os
import socketserver
import sqlite3
import sys
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, quote, urlencode, urlsplit

MAX_BODY = 8 * 1024  # a name and a password; nobody has a reason to send more

# ---- Users ----------------------------------------------------------------------------------------------------------

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
  id       INTEGER PRIMARY KEY,
  login    TEXT NOT NULL UNIQUE,
  display  TEXT NOT NULL,
  role     TEXT NOT NULL,
  password TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS second_factors (
  user   INTEGER PRIMARY KEY REFERENCES users (id),
  secret TEXT NOT NULL,
  used   INTEGER NOT NULL DEFAULT 0
);
"""


def hash_password(password, salt=None, n=2**14, r=8, p=1):
    """The parameters stand beside the hash, so that they can be raised later without locking anybody out."""
    salt = salt or os.urandom(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r)
    return f"scrypt${n}${r}${p}${salt.hex()}${digest.hex()}"


def password_matches(password, stored):
    _, n, r, p, salt, _ = stored.split("$")
    computed = hash_password(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(computed, stored)


CODE_SECONDS = 30


def code_at(secret, step):
    """The code of one step of time (RFC 6238, as authenticator programs have it: SHA-1, six digits, 30 seconds)."""
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


# Compared with when there is no such user: an unknown name takes as long as a wrong password.
NOBODY = hash_password(os.urandom(16).hex())


class Users:
    def __init__(self, path):
        self.path = path
        with self.connect() as db:
            db.executescript(SCHEMA)

    def connect(self):
        return closing_transaction(sqlite3.connect(self.path, timeout=5))

    def add(self, login, display, role, password):
        with self.connect() as db:
            db.execute(
                "INSERT INTO users (login, display, role, password) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (login) DO UPDATE SET display = excluded.display, role = excluded.role, "
                "password = excluded.password",
                (login, display, role, hash_password(password)),
            )

    def add_second_factor(self, login):
        """A new secret; the old one's codes count no more."""
        secret = base64.b32encode(os.urandom(20)).decode()
        with self.connect() as db:
            db.execute("INSERT OR REPLACE INTO second_factors (user, secret) SELECT id, ? FROM users WHERE login = ?", (secret, login))
        return secret

    def check_code(self, user, code):
        """A code counts once, and so does no earlier one after it: who reads it over a shoulder comes too late."""
        now = int(time.time()) // CODE_SECONDS
        with self.connect() as db:
            row = db.execute("SELECT secret FROM second_factors WHERE user = ?", (user,)).fetchone()
            for step in (now - 1, now, now + 1) if row else ():  # clocks differ
                if hmac.compare_digest(code_at(row[0], step).encode(), code.encode()):
                    taken = db.execute("UPDATE second_factors SET used = ? WHERE user = ? AND used < ?", (step, user, step))
                    return taken.rowcount == 1
        return False

    def check(self, login, password):
        """The user's grant, or None. The same work is done whether or not the user exists."""
        with self.connect() as db:
            row = db.execute("SELECT id, display, role, password FROM users WHERE login = ?", (login,)).fetchone()
        matches = password_matches(password, row[3] if row else NOBODY)
        if not (row and matches):
            return None
        return {"userId": str(row[0]), "role": row[2], "login": login, "name": row[1]}


class closing_transaction(closing):
    """sqlite3's own `with` commits but does not close."""

    def __exit__(self, kind, *rest):
        if kind is None:
            self.thing.commit()
        return super().__exit__(kind, *rest)


# ---- Pages ----------------------------------------------------------------------------------------------------------

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }}
  body {{ margin: 0; padding: 1rem; display: grid; place-items: center; min-height: 90vh; box-sizing: border-box; }}
  main {{ width: 100%; max-width: 20rem; }}
  label {{ display: block; margin-top: 1rem; font-weight: 600; }}
  label.inline {{ font-weight: 400; }}
  input:not([type=checkbox]), button {{ font: inherit; width: 100%; padding: .6rem; box-sizing: border-box; }}
  input[aria-invalid=true] {{ border: 2px solid #d32f2f; }}
  button {{ margin-top: 1.5rem; cursor: pointer; }}
  [role=alert] {{ border-left: .3rem solid #d32f2f; padding: .4rem .8rem; margin: 1rem 0 0; }}
</style>
</head>
<body><main>
<h1>{title}</h1>
{content}
</main></body>
</html>
"""

FORM = """{error}
<form method="post" action="{action}">
  <label for="username">User name</label>
  <input id="username" name="username" value="{username}" autocomplete="username" autocapitalize="none"
         spellcheck="false" required{user_focus}{invalid}>
  <label for="password">Password</label>
  <input id="password" name="password" type="password" autocomplete="current-password" required{pass_focus}{invalid}>
{code}  <label class="inline"><input type="checkbox" name="remember" value="yes"{remember}> Keep me signed in on this device</label>
  <button type="submit">Sign in</button>
</form>"""


CODE = """  <label for="code">Code from your authenticator</label>
  <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" required>
"""


def login_page(action, username="", remember=False, error="", wants_code=False):
    return PAGE.format(
        title="Sign in",
        content=FORM.format(
            error=f'<p role="alert" id="error">{html.escape(error)}</p>' if error else "",
            action=html.escape(action),
            username=html.escape(username),
            # After a mistake the name is still there, so the password is where one types.
            user_focus="" if error else " autofocus",
            pass_focus=" autofocus" if error else "",
            invalid=' aria-invalid="true" aria-describedby="error"' if error else "",
            remember=" checked" if remember else "",
            code=CODE if wants_code else "",
        ),
    )


def welcome_page(name):
    return PAGE.format(
        title="Signed in", content=f'<p>Hello {html.escape(name)}. <a href="/">Go on to the application</a>.</p>'
    )


# ---- HTTP -----------------------------------------------------------------------------------------------------------


class BadRequest(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    users = None  # set by serve()
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds a peer may be silent
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True

    def do_GET(self):
        # A body that nobody reads would be taken for the next request on this connection, with whatever headers it has.
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        if self.wants_json():
            return self.answer_json(405, {"error": "POST username and password"}, {"Allow": "POST"})
        self.answer_page(200, login_page(self.action(), wants_code=self.wants_code()))

    do_HEAD = do_GET

    def do_POST(self):
        try:
            form = self.read_form()
        except BadRequest as e:
            self.close_connection = True  # the body may still be on its way
            return self.answer_json(e.status, {"error": str(e)}, {"Connection": "close"})
        if urlsplit(self.path).path != "/login":
            return self.answer_json(404, {"error": "passwords are taken at /login only"})
        login, password = form.get("username", ""), form.get("password", "")
        remember = form.get("remember") in ("yes", "true", "on", True)
        user = self.users.check(login, password)
        # A code that was given has to be right, asked for or not.
        code = form.get("code", "")
        if user and (code or self.wants_code()) and not self.users.check_code(user["userId"], code):
            user = None
        if user is None:
            headers = {"WWW-Authenticate": "Form"}
            if self.wants_json():
                return self.answer_json(401, {"error": "wrong user name or password"}, headers)
            text = "This user name and password do not belong together."
            if self.wants_code():
                text = "User name, password and code do not belong together. Each code counts once."
            return self.answer_page(401, login_page(self.action(), login, remember, text, self.wants_code()), headers)

        # The one thing doorward asks for. ASCII only: json.dumps escapes the rest.
        grant = {"Doorward-Grant": json.dumps(user)}
        options = ["remember"] * remember + ["acr=2"] * bool(code)
        if options:
            grant["Doorward-Grant-Options"] = "; ".join(options)
        if self.wants_json():
            return self.answer_json(200, {"user": user}, grant)
        if not self.return_to():
            return self.answer(303, b"", "text/plain", {**grant, "Location": "/"})
        # No Location: doorward checks `next` and sends the browser there. Were it to refuse, this page is shown.
        self.answer_page(200, welcome_page(user["name"]), grant)

    def asked(self, name):
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def return_to(self):
        return self.asked("next")

    def wants_code(self):
        """doorward asks for level 2 where a route does (`require: { acr: 2 }`). Whoever strikes that from the address
        gets a login of level 1, and doorward says that it will not do."""
        return self.asked("acr") == "2"

    def action(self):
        """Where the form goes: this page, with what doorward asked kept as it came and nothing else."""
        kept = {name: self.asked(name) for name in ("next", "acr", "max_age") if self.asked(name)}
        return urlsplit(self.path).path + ("?" + urlencode(kept) if kept else "")

    def content_type(self):
        return self.headers.get_content_type()

    def wants_json(self):
        return "text/html" not in self.headers.get("Accept", "") and (
            self.content_type() == "application/json" or "json" in self.headers.get("Accept", "")
        )

    def read_form(self):
        if "Transfer-Encoding" in self.headers or not self.headers.get("Content-Length", "").isdigit():
            raise BadRequest(411, "Content-Length required")
        length = int(self.headers["Content-Length"])
        if length > MAX_BODY:
            raise BadRequest(413, "too much for a user name and a password")
        body = self.rfile.read(length)
        if len(body) < length:
            raise BadRequest(400, "the body ended early")
        try:
            if self.content_type() == "application/json":
                form = json.loads(body)
            elif self.content_type() == "application/x-www-form-urlencoded":
                form = {k: v[0] for k, v in parse_qs(body.decode(), max_num_fields=10).items()}
            else:
                raise BadRequest(415, "send a form or JSON")
            for name in ("username", "password", "code"):
                form.get(name, "").encode()
        except (ValueError, AttributeError) as e:
            raise BadRequest(400, "username, password and code must be text") from e
        return form

    def answer_page(self, status, page, headers=()):
        policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        headers = {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin", **dict(headers)}
        self.answer(status, page.encode(), "text/html; charset=utf-8", headers)

    def answer_json(self, status, value, headers=()):
        self.answer(status, json.dumps(value).encode() + b"\n", "application/json", headers)

    def answer(self, status, body, content_type, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        pass  # doorward keeps the access log


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


def serve(args):
    Handler.users = Users(args.db)
    host, _, port = args.listen.rpartition(":")
    with Server((host.strip("[]"), int(port)), Handler) as server:
        print(f"listening on {host}:{server.server_address[1]}", flush=True)
        server.serve_forever()


def add_user(args):
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not password:
        sys.exit("an empty password is none")
    users = Users(args.db)
    users.add(args.login, args.display or args.login, args.role, password)
    if args.second_factor:
        print(f"otpauth://totp/{quote(args.login)}?secret={users.add_second_factor(args.login)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="serve | add-user")
    sub = commands.add_parser("serve", help="answer /login")
    sub.add_argument("--listen", default="127.0.0.1:4000", help="host:port; port 0 takes a free one and prints it")
    sub.set_defaults(run=serve)
    sub.add_argument("--db", required=True, help="SQLite file")
    sub = commands.add_parser("add-user", help="add or change a user; the password is read from standard input")
    sub.add_argument("--db", required=True, help="SQLite file")
    sub.add_argument("--role", default="user")
    sub.add_argument("--second-factor", action="store_true", help="print a new secret for the user's authenticator program")
    sub.add_argument("--display", help="the name people see; default is the login")
    sub.add_argument("login")
    sub.set_defaults(run=add_user)
    args = parser.parse_args()
    try:
        args.run(args)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
