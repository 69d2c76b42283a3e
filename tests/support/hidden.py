"""Secrets that must come out nowhere, in each form in which they could."""

import base64
import os
import urllib.parse


def encodings(name, secret):
    """All forms in which the secret must not be found, with what to call each."""
    raw = secret.encode()
    yield f"{name}", raw
    yield f"{name} URL-encoded", urllib.parse.quote(secret, safe="").encode()
    yield f"{name} URL-encoded in small letters", urllib.parse.quote(secret, safe="").lower().encode()
    yield f"{name} in hexadecimal", raw.hex().encode()
    yield f"{name} reversed", raw[::-1]
    for shift in range(3):
        # Only the characters that depend on the secret alone, whatever stands around it.
        encoded = base64.b64encode(b"\0" * shift + raw)
        first = -(-shift * 8 // 6)
        last = (shift + len(raw)) * 8 // 6
        yield f"{name} in base64", encoded[first:last]
        yield f"{name} in URL-safe base64", encoded[first:last].translate(bytes.maketrans(b"+/", b"-_"))


class Hidden:
    """What is searched for: `secrets` by their names, and the header that the client's make."""

    def __init__(self, client_id, client_secret, secrets):
        self.needles = {}
        for name, secret in {"client secret": client_secret, **secrets}.items():
            self.add(name, secret)
        pair = f"{client_id}:{client_secret}".encode()
        self.needles.setdefault(base64.b64encode(pair), "header of Basic authentication")

    def add(self, name, secret):
        for what, bytes_ in encodings(name, secret):
            self.needles.setdefault(bytes_, what)

    def find(self, content):
        """(what, position) of each form that is in the content."""
        places = ((what, content.find(needle)) for needle, what in self.needles.items())
        return [(what, place) for what, place in places if place >= 0]

    def find_below(self, folder):
        """(file, what, position) of each form in a file below the folder, or in its name."""
        for parent, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)
                with open(path, "rb") as file:
                    content = file.read()
                for what, place in self.find(content) + self.find(os.fsencode(name)):
                    yield os.path.relpath(path, folder), what, place
