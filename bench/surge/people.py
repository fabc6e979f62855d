"""Who uses the site. The first of them are logged in from the beginning; the surge is made of all of them."""

from users import hash_password

PASSWORDS = 20  # different ones. Each costs a real hash to store, and checking the same one twice costs as much as two.


class Person:
    def __init__(self, id, password, stored, cookie):
        self.id, self.password, self.stored, self.cookie = id, password, stored, cookie
        self.login = f"user{id}"


def make_people(count, logged_in):
    passwords = [f"open-sesame-{n}" for n in range(PASSWORDS)]
    stored = [hash_password(password) for password in passwords]
    return [Person(n, passwords[n % PASSWORDS], stored[n % PASSWORDS], f"steady-session-{n:08d}" if n < logged_in else None)
            for n in range(count)]  # fmt: skip


def write_people(people, file):
    """As the generator reads them: id, login, password, cookie or `-`."""
    file.write_text("".join(f"{p.id} {p.login} {p.password} {p.cookie or '-'}\n" for p in people))
