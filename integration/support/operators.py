"""Operators and identity services, who have the token of the admin listener."""

TOKEN = "a-token-of-the-admin-listener"


def bearer(token=TOKEN):
    return ("Authorization", f"Bearer {token}")


def api(stage, method, path):
    """One request to the admin listener of `stage.door`, with the token."""
    return stage.door.admin(path, method, [bearer()])


def problem(response, status, code):
    """A refusal (RFC 9457)."""
    assert response.status == status, response
    assert response.header("Content-Type") == "application/problem+json" and response.header("Cache-Control") == "no-store"
    body = response.json()
    assert body["status"] == status and body["code"] == code and body["type"] == f"urn:doorward:{code}", body
    assert body["title"] and body["detail"]
    return response
