"""A PostgreSQL of our own, from Debian's package: made in a temporary folder, on a unix socket only, gone afterwards."""

import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import time

import psycopg2
import psycopg2.extras

import sessions
import users

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_preload_libraries": "pg_stat_statements",
    # The disk of the machine is not what is measured. This is kind to the case that writes: it waits for no disk.
    "synchronous_commit": "off",
}
# Of the statements sent to the database `site`: all, those that name the table of sessions, those that name the users.
COUNTS = """SELECT coalesce(sum(calls), 0)::bigint,
  coalesce(sum(calls) FILTER (WHERE query LIKE '%sessions%'), 0)::bigint,
  coalesce(sum(calls) FILTER (WHERE query LIKE '%users%'), 0)::bigint
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = 'site')"""


def program(name):
    """Debian keeps a version's programs in a folder of its own."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) or [shutil.which(name)]
    if not found[-1]:
        sys.exit(f"{name} is missing: scripts/setup bench")
    return str(found[-1])


class Postgres:
    def __init__(self, folder, start, alive):
        """`start(command, user)` runs a program as the stage does, as the user that setpriv is to make of
        it. `alive()` ends everything when a program has died."""
        self.folder = pathlib.Path(folder) / "postgresql"
        self.folder.mkdir()
        self.start_program, self.alive = start, alive
        self.as_user = []
        if os.geteuid() == 0:  # it refuses to be root
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self.as_user = ["--reuid", str(owner.pw_uid), "--regid", str(owner.pw_gid), "--clear-groups"]

    def create(self):
        command = ["setpriv", *self.as_user, program("initdb"), "--pgdata", str(self.folder / "data"), "--username", "site",
                   "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]  # fmt: skip
        done = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"initdb failed:\n{done.stdout}")
        settings = {**SETTINGS, "unix_socket_directories": str(self.folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.start_program([program("postgres"), "-D", str(self.folder / "data"), *options], self.as_user)
        self.watcher = self.connect_when_ready()
        self.run(self.watcher, "CREATE DATABASE site", "CREATE EXTENSION pg_stat_statements")

    def dsn(self, database="site"):
        return f"host={self.folder} user=site dbname={database}"

    def connect(self, database):
        connection = psycopg2.connect(self.dsn(database))
        connection.autocommit = True
        return connection

    def connect_when_ready(self):
        end = time.monotonic() + 20
        while True:
            try:
                return self.connect("postgres")
            except psycopg2.OperationalError:
                self.alive()
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    @staticmethod
    def run(connection, *statements):
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def fill(self, people, with_sessions):
        """`people` have an id, a login, a stored password, and perhaps a session of which they hold the cookie."""
        site = self.connect("site")
        self.run(site, users.SCHEMA, *([sessions.SCHEMA] if with_sessions else []))
        with site.cursor() as cursor:
            rows = [(p.id, p.login, "user", p.stored) for p in people]
            psycopg2.extras.execute_values(cursor, "INSERT INTO users VALUES %s", rows)
            if with_sessions:
                rows = [(p.cookie, p.id, "user") for p in people if p.cookie]
                psycopg2.extras.execute_values(cursor, "INSERT INTO sessions (id, user_id, role) VALUES %s", rows)
        self.run(site, "ANALYZE")
        site.close()
        self.run(self.watcher, "SELECT pg_stat_statements_reset()")

    def counts(self):
        """Statements since `fill`: (all, for sessions, for users)."""
        with self.watcher.cursor() as cursor:
            cursor.execute(COUNTS)
            return cursor.fetchone()
