"""marquee.messaging.http_client: one request to an untrusted server, with a time limit, to the checked address."""

import datetime as dt
import socket
import ssl
import time
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from marquee.messaging import http_client, url_safety
from tests.kit import subscriber


def target(running, path="/in", host="127.0.0.1"):
    return url_safety.target(running.url(path, host), allow_private=True)


def post(running, path="/in", **options):
    options = {"allow_private": True, "seconds_max": 0.7, **options}
    return http_client.post(target(running, path), b"{}", {"content-type": "application/json"}, **options)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (subscriber.hang, "timed_out"),
        (subscriber.drip, "timed_out"),
        (subscriber.hang_up, "connection_failed"),
        (subscriber.babble, "answer_malformed"),
    ],
)
def test_request_to_a_faulty_server_fails_in_time(receiver, answer, code):
    receiver.answers["/in"] = [answer]
    began = time.monotonic()

    with pytest.raises(http_client.NotSent) as failure:
        post(receiver)

    assert failure.value.code == code
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("answer", [subscriber.drip_body, subscriber.flood])
def test_endless_response_body_is_truncated_in_time(receiver, answer):
    receiver.answers["/in"] = [answer]
    began = time.monotonic()

    found = post(receiver)

    assert found.status_code == 200
    assert 0 < len(found.body) <= 1024
    assert time.monotonic() - began < 1.5


def test_response_body_is_decoded_to_text_without_null_characters(receiver):
    receiver.body = b"\xff\x00ok" + "é".encode() * 2000

    assert post(receiver).body.startswith("�ok")


def test_closed_port_raises_connection_failed():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(http_client.NotSent, match="connection_failed"):
        http_client.post(
            url_safety.target(f"http://127.0.0.1:{port}/", allow_private=True), b"", {}, allow_private=True
        )


def test_proxy_variables_of_the_environment_are_ignored(receiver, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert post(receiver).status_code == 200


def test_host_name_is_resolved_once_and_the_checked_address_is_called(receiver, monkeypatch):
    """DNS rebinding: a second lookup that returns this machine's address has no effect."""
    looks = []

    def rebinding(host, port):
        looks.append(host)
        text = "93.184.216.34" if len(looks) == 1 else "127.0.0.1"
        return [url_safety.Address(socket.AF_INET, (text, port))]

    called = []

    class Socket(socket.socket):
        def connect(self, place):
            called.append(place)
            raise OSError("no network here")

    monkeypatch.setattr(http_client.socket, "socket", Socket)
    with pytest.raises(http_client.NotSent, match="connection_failed"):
        http_client.post(url_safety.target("https://hooks.example.com/in"), b"", {}, resolve=rebinding)

    assert looks == ["hooks.example.com"]
    assert called == [("93.184.216.34", 443)]
    assert receiver.got == []


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "0.0.0.0", "::1", "::ffff:127.0.0.1"])
def test_host_name_that_resolves_to_a_private_address_is_refused(receiver, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    def resolve(host, port):
        return [url_safety.Address(socket.AF_INET, ("8.8.8.8", port)), url_safety.Address(family, (address, port))]

    with pytest.raises(http_client.NotSent, match="address_not_allowed"):
        http_client.post(url_safety.target("https://hooks.example.com/in"), b"", {}, resolve=resolve)

    assert receiver.got == []


def test_unresolvable_host_name_raises_name_not_resolved():
    def resolve(host, port):
        raise url_safety.NotResolved

    with pytest.raises(http_client.NotSent, match="name_not_resolved"):
        http_client.post(url_safety.target("https://hooks.example.com/in"), b"", {}, resolve=resolve)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Return a server context with a certificate for hooks.example.com, and a client context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("hooks.example.com"), x509.IPAddress(ip_address("192.0.2.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "certificate").write_bytes(pem)
    (folder / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "certificate", folder / "key")
    return server, ssl.create_default_context(cadata=pem.decode())


@pytest.mark.parametrize(
    ("host", "is_trusted", "code"),
    [
        ("hooks.example.com", True, None),
        ("other.example.com", True, "tls_failed"),
        ("hooks.example.com", False, "tls_failed"),
    ],
)
def test_tls_certificate_is_verified_against_the_host_name(authority, host, is_trusted, code):
    server, trusting = authority

    def resolve(_host, port):
        return [url_safety.Address(socket.AF_INET, ("127.0.0.1", port))]

    with subscriber.running(server) as running:
        options = {"allow_private": True, "resolve": resolve, "trusted": trusting if is_trusted else None}
        if code is None:
            assert http_client.post(target(running, host=host), b"{}", {}, **options).status_code == 200
            assert running.got[0].headers["host"] == f"{host}:{running.port}"
        else:
            with pytest.raises(http_client.NotSent, match=code):
                http_client.post(target(running, host=host), b"{}", {}, **options)
            assert running.got == []


def test_endless_tls_handshake_times_out(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        began = time.monotonic()
        with pytest.raises(http_client.NotSent, match="timed_out"):
            http_client.post(url_safety.target(url, allow_private=True), b"", {}, allow_private=True, seconds_max=0.5)

    assert time.monotonic() - began < 1.5
