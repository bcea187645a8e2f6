"""The connection verifies the server: a real PostgreSQL behind TLS, as behind RDS Proxy, with our own certificates."""

import contextlib
import ipaddress
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from marquee.core import database, settings
from marquee.core.errors import Unavailable
from marquee.core.identity import service

SSL_REQUEST = struct.pack("!II", 8, 80877103)
CHUNK_BYTES = 65536


class Authority:
    """A certificate authority that signs certificates for servers."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self._name, self._key.public_key(), days=(-1, 3650), ca=True)

    def write(self, file: Path) -> Path:
        """Write the authority's certificate, as DATABASE_CA names it."""
        file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return file

    def server(self, folder: Path, host: str, days: tuple[int, int] = (-1, 30)) -> ssl.SSLContext:
        """Return the TLS context of a server for this host, valid for these days from today."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._sign(subject, key.public_key(), days=days, name=name)
        file = folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        days: tuple[int, int],
        name: x509.GeneralName | None = None,
        ca: bool = False,
    ) -> x509.Certificate:
        today = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(today + timedelta(days=days[0]))
            .not_valid_after(today + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if name is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


@contextlib.contextmanager
def encrypted(port: int, context: ssl.SSLContext) -> Iterator[int]:
    """Serve TLS in front of the PostgreSQL at this port, as a proxy does, and return the port to connect to."""
    listener = socket.create_server(("127.0.0.1", 0))
    opened: list[socket.socket] = []

    def serve(client: socket.socket) -> None:
        with contextlib.suppress(OSError):  # a client that refuses the certificate hangs up
            assert client.recv(8, socket.MSG_WAITALL) == SSL_REQUEST
            client.sendall(b"S")
            secured = context.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", port))
            opened.extend([secured, server])
            while True:
                ready = [secured] if secured.pending() else select.select([secured, server], [], [])[0]
                for end in ready:
                    data = end.recv(CHUNK_BYTES)
                    if not data:
                        return
                    (server if end is secured else secured).sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                client, _ = listener.accept()
                opened.append(client)
                threads.append(threading.Thread(target=serve, args=(client,), daemon=True))
                threads[-1].start()

    threads = [threading.Thread(target=accept, daemon=True)]
    threads[0].start()
    yield listener.getsockname()[1]
    for end in [listener, *opened]:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
    for thread in threads:
        thread.join(5)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Authority of these tests")


@pytest.fixture
def reach(server, database_name, authority, tmp_path, monkeypatch):
    """Return reach(context), which queries the database through a server with these certificates."""
    monkeypatch.setattr(settings, "LOOPBACK", ())  # this machine stands for a remote server
    monkeypatch.setenv("DATABASE_CA", str(authority.write(tmp_path / "ca.pem")))

    def ask(context: ssl.SSLContext) -> str:
        with encrypted(server.port, context) as port:
            url = server.url(database_name).replace(f":{server.port}/", f":{port}/")
            monkeypatch.setenv("DATABASE_URL", url)
            try:
                with database.single(service()) as session:
                    answer: str = session.value("select 'reached'")
                    return answer
            finally:
                database.disconnect()

    return ask


def test_server_with_a_valid_certificate_is_reached(reach, authority, tmp_path):
    assert reach(authority.server(tmp_path, "127.0.0.1")) == "reached"


def test_server_without_tls_is_refused(server, database_name, monkeypatch, reach, caplog):
    monkeypatch.setenv("DATABASE_URL", server.url(database_name))

    with pytest.raises(Unavailable), database.single(service()) as session:
        session.value("select 1")

    assert "database_unreachable" in caplog.text
    assert "does not support SSL" in caplog.text


@pytest.mark.parametrize(
    ("host", "days", "reason"),
    [
        ("elsewhere.example", (-1, 30), 'does not match host name "127.0.0.1"'),
        ("127.0.0.1", (-30, -1), "certificate verify failed"),
        ("127.0.0.1", (1, 30), "certificate verify failed"),
    ],
    ids=["another host", "expired", "not valid yet"],
)
def test_invalid_certificate_is_refused_with_the_reason_in_the_log(
    reach, authority, tmp_path, caplog, host, days, reason
):
    with pytest.raises(Unavailable):
        reach(authority.server(tmp_path, host, days))

    assert "database_unreachable" in caplog.text
    assert reason in caplog.text


def test_certificate_of_an_unknown_authority_is_refused_and_logged(reach, tmp_path, caplog):
    with pytest.raises(Unavailable):
        reach(Authority("Impostor").server(tmp_path, "127.0.0.1"))

    assert "certificate verify failed" in caplog.text


def test_untrusted_server_is_reached_only_by_the_explicit_exception(reach, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("DATABASE_TLS", "require")

    assert reach(Authority("Impostor").server(tmp_path, "127.0.0.1")) == "reached"
    assert "database_not_verified" in caplog.text


@pytest.mark.parametrize("bundle", ["amazon", "rds", "system"])
def test_certificate_bundle_does_not_trust_an_unknown_authority(
    reach, authority, tmp_path, monkeypatch, caplog, bundle
):
    monkeypatch.setenv("DATABASE_CA", bundle)

    with pytest.raises(Unavailable):
        reach(authority.server(tmp_path, "127.0.0.1"))

    assert "certificate verify failed" in caplog.text
