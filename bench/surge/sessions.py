"""The session code of the legacy application: a row a session, read and written for every request. Nothing else uses it."""

import secrets

SCHEMA = """CREATE TABLE sessions (
  id        text PRIMARY KEY,
  user_id   int NOT NULL,
  role      text NOT NULL,
  created   timestamptz NOT NULL DEFAULT now(),
  last_seen timestamptz NOT NULL DEFAULT now()
)"""


class Sessions:
    def __init__(self, database):
        self.database = database

    def find(self, id):
        """(user id, role), or None. That it was used is written down, so that it lasts as long as it is."""
        row = self.database.run(
            "SELECT user_id, role FROM sessions WHERE id = %s AND last_seen > now() - interval '30 minutes' "
            "AND created > now() - interval '12 hours'", id)  # fmt: skip
        if row:
            self.database.run("UPDATE sessions SET last_seen = now() WHERE id = %s", id)
        return row

    def create(self, user, role):
        id = secrets.token_urlsafe(32)
        self.database.run("INSERT INTO sessions (id, user_id, role) VALUES (%s, %s, %s)", id, user, role)
        return id
