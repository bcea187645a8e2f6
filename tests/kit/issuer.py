"""Run an OIDC issuer with real keys and a real HTTP server on loopback."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "marquee"


@dataclass(slots=True)
class Issuer:
    """Signs tokens and serves `pages` by path."""

    url: str
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    seconds_late: float = 0

    @property
    def jwks_url(self) -> str:
        """Return the URL of the keys."""
        return self.url + "/.well-known/jwks.json"

    def add_rsa(self, kid: str, bits: int = 2048, **members: Any) -> None:
        """Make and publish an RSA key."""
        self.keys[kid] = (rsa.generate_private_key(65537, bits), "RS256", members)
        self.publish()

    def add_ec(self, kid: str, **members: Any) -> None:
        """Make and publish a P-256 key."""
        self.keys[kid] = (ec.generate_private_key(ec.SECP256R1()), "ES256", members)
        self.publish()

    def publish(self) -> None:
        """Serve the public halves of all keys."""
        keys = []
        for kid, (key, algorithm, members) in self.keys.items():
            family = RSAAlgorithm if algorithm == "RS256" else ECAlgorithm
            keys.append({**family.to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": algorithm, **members})
        self.pages["/.well-known/jwks.json"] = (200, {}, json.dumps({"keys": keys}).encode())

    def token(self, kid: str = "rsa", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Sign a token with a key. A claim of None is omitted."""
        key, algorithm, _ = self.keys[kid]
        now = int(time.time())
        given = {"iss": self.url, "aud": AUDIENCE, "sub": "ana", "iat": now, "exp": now + 600, **claims}
        payload = {name: value for name, value in given.items() if value is not None}
        return jwt.encode(payload, key, algorithm, headers={"kid": kid, **(header or {})})


@contextlib.contextmanager
def issuer() -> Iterator[Issuer]:
    """Run an issuer with an RSA and an EC key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            the_issuer.requests.append(self.path)
            time.sleep(the_issuer.seconds_late)
            status, headers, body = the_issuer.pages.get(self.path, (404, {}, b""))
            with contextlib.suppress(OSError):
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    the_issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
    the_issuer.add_rsa("rsa")
    the_issuer.add_ec("ec")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield the_issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
