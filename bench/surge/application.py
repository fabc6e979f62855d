#!/usr/bin/python3
"""The application, a page of 2 KiB for whoever is logged in.

    application.py --database DSN   before: it keeps sessions in PostgreSQL and hashes passwords itself
    application.py                  after: the same behind doorward; it believes X-User-Id and has no session code
"""

import argparse

from pool_server import PoolServer, answer

WORKERS = 32  # threads, and with --database as many connections to PostgreSQL
FILLER = b"<p>" + b"What the application is there for. " * 58 + b"</p>\n"


def page(user):
    return answer(200, b"user %s\n" % str(user).encode() + FILLER, Content_Type="text/html")


def behind_doorward(request):
    user = request.headers.get("x-user-id")
    return page(user) if user else answer(401)


def legacy(dsn):
    from sessions import Sessions
    from users import Database, Users

    database = Database(dsn)
    users, sessions = Users(database), Sessions(database)

    def respond(request):
        if request.is_login:
            user = users.check(request.body)
            if not user:
                return answer(401)
            return answer(303, Location="/", Set_Cookie=f"sid={sessions.create(*user)}; Path=/; HttpOnly; SameSite=Lax")
        session = sessions.find(request.cookie("sid"))
        return page(session[0]) if session else answer(302, Location="/login")

    return respond


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", metavar="DSN")
    dsn = parser.parse_args().database
    PoolServer(WORKERS, legacy(dsn) if dsn else behind_doorward).serve()


if __name__ == "__main__":
    main()
