"""Writes a session as Django's cache sessions in django-redis are written: `app.py REDIS_URL pickle|json`; prints its id.

`pickle` is what django-redis does where nothing else is said, `json` what docs/foreign-sessions.md asks for.
"""

import sys

import django
from django.conf import settings

url, how = sys.argv[1:]
options = {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"} if how == "json" else {}
settings.configure(
    SECRET_KEY="only signs what is in no play",
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url, "OPTIONS": options}},
)
django.setup()

from django.contrib.sessions.backends.cache import SessionStore  # noqa: E402

session = SessionStore()
# What django.contrib.auth.login leaves, and what an application adds.
session.update({"_auth_user_id": "42", "_auth_user_backend": "django.contrib.auth.backends.ModelBackend", "_auth_user_hash": "f" * 64,
                "role": "editor", "name": "Jürgen Groß", "basket": {"pears": 2, "plums": [1, 2.5, None]}, "active": True})  # fmt: skip
session.create()
print(session.session_key)
