"""Users in PostgreSQL, and their passwords: what checks a login in both cases, in the application or in the identity service."""

import hashlib
import hmac
import os
import threading
from urllib.parse import parse_qs

import psycopg2

COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MiB and some 40 ms of CPU a login
SCHEMA = "CREATE TABLE users (id int PRIMARY KEY, login text UNIQUE NOT NULL, role text NOT NULL, password text NOT NULL)"


def hash_password(password, salt=None):
    salt = salt or os.urandom(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, maxmem=2**26, **COST)
    return f"{salt.hex()}${digest.hex()}"


def password_matches(password, stored):
    return hmac.compare_digest(hash_password(password, bytes.fromhex(stored.split("$")[0])), stored)


class Database:
    """A connection for each thread that asks, as a pool of workers has them. Every statement is its own transaction."""

    def __init__(self, dsn):
        self.dsn = dsn
        self.mine = threading.local()

    def run(self, statement, *values):
        """The first row, or None."""
        if not hasattr(self.mine, "cursor"):
            connection = psycopg2.connect(self.dsn)
            connection.autocommit = True
            self.mine.cursor = connection.cursor()
        self.mine.cursor.execute(statement, values)
        return self.mine.cursor.fetchone() if self.mine.cursor.description else None


class Users:
    def __init__(self, database):
        self.database = database

    def check(self, body):
        """(id, role) of the user whose name and password stand in the form, or None."""
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        row = self.database.run("SELECT id, role, password FROM users WHERE login = %s", form.get("username", ""))
        return row[:2] if row and password_matches(form.get("password", ""), row[2]) else None
