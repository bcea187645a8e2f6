"""Sealed texts open only with their own key, in their own place, and unchanged."""

import base64

import pytest

from marquee.core.encryption import KeyRing, Unreadable, key_id_of, key_ring
from marquee.edge import secrets
from marquee.messaging import signing_secrets

pytestmark = pytest.mark.usefixtures("sockets_off")

OLD, NEW = "old key of thirty-two characters or more", "new key of thirty-two characters or more"


@pytest.fixture
def ring() -> KeyRing:
    return key_ring("k2", {"k1": OLD, "k2": NEW})


def test_sealed_text_names_its_key_and_opens_in_its_place(ring):
    sealed = ring.seal("whsec_text", "endpoint 1")

    assert key_id_of(sealed) == "k2"
    assert "whsec_text" not in sealed
    assert ring.open(sealed, "endpoint 1") == "whsec_text"
    assert ring.seal("whsec_text", "endpoint 1") != sealed


def test_older_key_opens_and_does_not_seal(ring):
    sealed = key_ring("k1", {"k1": OLD}).seal("text", "place")

    assert ring.open(sealed, "place") == "text"
    assert key_id_of(ring.seal("text", "place")) == "k2"


def test_sealed_text_does_not_open_in_another_place(ring):
    with pytest.raises(Unreadable, match="place was changed"):
        ring.open(ring.seal("text", "endpoint 1"), "endpoint 2")


def test_sealed_text_opens_only_with_its_own_key(ring):
    sealed = ring.seal("text", "place")

    with pytest.raises(Unreadable, match="no key 'k2'"):
        key_ring("k1", {"k1": OLD}).open(sealed, "place")
    with pytest.raises(Unreadable, match="'k2' does not open the text"):
        key_ring("k2", {"k2": OLD}).open(sealed, "place")


def test_sealed_text_with_a_changed_byte_does_not_open(ring):
    head, _, content = ring.seal("text", "place").rpartition(".")
    raw = base64.urlsafe_b64decode(content + "==")

    for position in range(len(raw)):
        changed = raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
        with pytest.raises(Unreadable):
            ring.open(f"{head}.{base64.urlsafe_b64encode(changed).decode().rstrip('=')}", "place")


@pytest.mark.parametrize("text", ["", "v1", "v1.k2", "v2.k2.AAAA", "whsec_AAAA", "v1.k2.", "v1.k2.A", "v1.k2.ü"])
def test_text_that_is_not_sealed_does_not_open(ring, text):
    with pytest.raises(Unreadable):
        ring.open(text, "place")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no json", "not a JSON object of strings"),
        ('["k1"]', "not a JSON object of strings"),
        (f'{{"k1": "{OLD}"}}', "current key is not in the key ring"),
        (f'{{"current": "k2", "k1": "{OLD}"}}', "current key is not in the key ring"),
        ('{"current": "k1", "k1": "short"}', "k1 has fewer than 32 characters"),
        (f'{{"current": "k 1", "k 1": "{OLD}"}}', "1 to 32 letters"),
    ],
)
def test_invalid_keys_are_refused_and_not_shown(monkeypatch, text, problem):
    monkeypatch.setenv("WEBHOOK_KEYS", text)

    with pytest.raises(secrets.InvalidKeys, match=problem) as refusal:
        secrets.webhook_keys()
    assert OLD not in str(refusal.value)
    assert "short" not in str(refusal.value)


def test_key_ring_does_not_print_its_keys(ring):
    assert repr(ring) == "KeyRing(current='k2')"


def test_endpoint_ids_are_version_7_uuids_in_time_order(monkeypatch):
    times = iter([1_900_000_000_000_000_000, 1_900_000_000_001_000_000])
    monkeypatch.setattr(signing_secrets.time, "time_ns", lambda: next(times))

    first, second = signing_secrets.new_endpoint_id(), signing_secrets.new_endpoint_id()

    assert first < second
    assert {first.version, second.version} == {7}
    assert first.variant == second.variant == "specified in RFC 4122"
