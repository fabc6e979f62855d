#!/usr/bin/python3
"""The identity service: compares a name and a password with PostgreSQL, and says who that is. It knows no sessions, and
sets itself no limit on how many logins it takes at once: keeping that number small is doorward's work.

    identity.py --database DSN
"""

import argparse
import json

from pool_server import PoolServer, answer
from users import Database, Users

WORKERS = 64  # many more than doorward may send at once


def identity(dsn):
    users = Users(Database(dsn))

    def respond(request):
        if not request.is_login:
            return answer(404)
        user = users.check(request.body)
        if not user:
            return answer(401)
        return answer(303, Location="/", Doorward_Grant=json.dumps({"userId": str(user[0]), "role": user[1]}))

    return respond


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", metavar="DSN", required=True)
    PoolServer(WORKERS, identity(parser.parse_args().database)).serve()


if __name__ == "__main__":
    main()
