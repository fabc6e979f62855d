"""Keys and JWTs, made and read by PyJWT: a second reader of what doorward writes, and a writer of what it reads."""

import base64
import hashlib
import hmac
import json

import jwt

from .certificates import openssl

ISSUER = "https://door.example.com"


class Key:
    """An EC key on P-256, or on another curve, in two files."""

    def __init__(self, folder, kid, curve="P-256"):
        folder.mkdir(parents=True, exist_ok=True)
        self.kid = kid
        self.private, self.public = folder / f"{kid}.pem", folder / f"{kid}.pub"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", self.private)
        openssl("pkey", "-in", self.private, "-pubout", "-out", self.public)

    @property
    def signs(self):
        return {"kid": self.kid, "key": str(self.private)}

    @property
    def verifies(self):
        return {"kid": self.kid, "key": str(self.public)}

    def sign(self, claims, **header):
        return jwt.encode(claims, self.private.read_text(), "ES256", headers={"kid": self.kid, **header})


def secret_file(folder, kid, secret=b"0123456789abcdef0123456789abcdef"):
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / kid
    file.write_bytes(secret)
    return {"kid": kid, "key": str(file)}


def verified(token, key, audience, algorithm="ES256", issuer=ISSUER):
    """The claims, as an application would have them: nothing is left unchecked."""
    required = ["iss", "sub", "aud", "iat", "exp"]
    return jwt.decode(token, key, algorithms=[algorithm], audience=audience, issuer=issuer, options={"require": required})


def encoded(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header, claims, mac=None):
    """A token that PyJWT refuses to make."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.new(mac, text.encode(), hashlib.sha256).digest()) if mac else ''}"
