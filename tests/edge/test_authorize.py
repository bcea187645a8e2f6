"""Test the authorizer with real tokens and keys, and with tokens that it must refuse."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marquee.edge import authorizers, tokens
from tests.kit import gateway
from tests.kit.issuer import AUDIENCE, Issuer, issuer

METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/v1/POST/bookings/17/cancel"


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    """Start one issuer for the module, because creating keys is slow."""
    with issuer() as the_issuer:
        yield the_issuer


@pytest.fixture
def trusted(running: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """Configure the authorizer to trust the issuer, with its two keys and an empty cache."""
    keys, pages = dict(running.keys), dict(running.pages)
    monkeypatch.setenv("TOKEN_ISSUER", running.url)
    monkeypatch.setenv("TOKEN_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("TOKEN_JWKS_URL", running.jwks_url)
    tokens.verifier.cache_clear()
    running.requests.clear()
    yield running
    running.keys, running.pages, running.seconds_late = keys, pages, 0


def authorize(token: str | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Invoke the authorizer for a request with this token."""
    sent = headers if headers is not None else {"Authorization": f"Bearer {token}"}
    event = {
        "type": "REQUEST",
        "methodArn": METHOD_ARN,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "requestContext": {"requestId": "r1"},
    }
    return gateway.invoke("authorize", event)


def refused(token: str | None = None, headers: dict[str, str] | None = None) -> bool:
    """Return whether API Gateway would respond with 401. Any other error is raised."""
    try:
        authorize(token, headers)
    except authorizers.Unauthorized as error:
        return str(error) == "Unauthorized"
    return False


@pytest.mark.parametrize("kid", ["rsa", "ec"])
def test_valid_token_may_invoke_the_whole_stage(trusted, kid):
    subject, organization = str(uuid4()), str(uuid4())

    answer = authorize(
        trusted.token(
            kid,
            sub=subject,
            org_id=organization,
            email="ana@example.org",
            email_verified=True,
            iat=1_700_000_000,
            locale="fr-CH",
            zoneinfo="Europe/Zurich",
            shoe_size=38,
        )
    )

    assert answer == {
        "principalId": subject,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/v1/*/*",
                }
            ],
        },
        "context": {
            "caller_id": subject,
            "role": "authenticated",
            "org_id": organization,
            "claims": answer["context"]["claims"],
        },
    }
    assert json.loads(answer["context"]["claims"]) == {
        "sub": subject, "role": "authenticated", "org_id": organization, "email": "ana@example.org",
        "email_verified": True, "iat": 1_700_000_000, "locale": "fr-CH", "zoneinfo": "Europe/Zurich",
    }  # fmt: skip
    assert all(isinstance(value, str) for value in answer["context"].values())


def test_subject_that_is_no_uuid_is_hashed_with_its_issuer(trusted):
    answer = authorize(trusted.token(sub="auth0|ana"))

    assert answer["context"]["caller_id"] == str(uuid5(NAMESPACE_URL, f"{trusted.url}#auth0|ana"))


@pytest.mark.parametrize("other", ["auth0|ana", "AB0C1D2E-3F40-4A5B-8C6D-7E8F90A1B2C3"])
def test_subject_equal_to_the_hash_of_another_is_a_different_caller(trusted, other):
    hashed = authorize(trusted.token(sub=other))["context"]["caller_id"]

    impostor = authorize(trusted.token(sub=hashed))["context"]["caller_id"]

    assert impostor != hashed
    assert impostor == str(uuid5(NAMESPACE_URL, f"{trusted.url}#{hashed}"))
    assert impostor == authorize(trusted.token(sub=hashed))["context"]["caller_id"]


CANONICAL = {
    "nil": "00000000-0000-0000-0000-000000000000",
    "1": "5c2b3f60-7d3e-11ef-9c1f-2f5f1c9d4e7a",
    "3": "ab0c1d2e-3f40-3a5b-8c6d-7e8f90a1b2c3",
    "4": "ab0c1d2e-3f40-4a5b-8c6d-7e8f90a1b2c3",
    "7": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
    "8": "ab0c1d2e-3f40-8a5b-8c6d-7e8f90a1b2c3",
    "5 of another variant": "ab0c1d2e-3f40-5a5b-0c6d-7e8f90a1b2c3",
}


@pytest.mark.parametrize("subject", CANONICAL.values(), ids=CANONICAL)
def test_canonical_uuid_subject_is_the_caller_id(trusted, subject):
    assert authorize(trusted.token(sub=subject))["context"]["caller_id"] == subject


def test_only_canonical_uuids_are_accepted_from_an_issuer_of_uuids(trusted, monkeypatch):
    monkeypatch.setenv("TOKEN_SUBJECTS", "uuid")
    subjects = [*CANONICAL.values(), str(uuid5(NAMESPACE_URL, f"{trusted.url}#auth0|ana"))]

    assert [authorize(trusted.token(sub=sub))["context"]["caller_id"] for sub in subjects] == subjects
    assert refused(trusted.token(sub="auth0|ana"))
    assert refused(trusted.token(sub=subjects[1].upper()))


UUIDS_IN_OTHER_FORMS = {
    "urn": lambda plain: f"urn:uuid:{plain}",
    "capitals": lambda plain: plain.upper(),
    "braces": lambda plain: f"{{{plain}}}",
    "no hyphens": lambda plain: plain.replace("-", ""),
    "other hyphens": lambda plain: plain.replace("-", "", 1),
    "space": lambda plain: f"{plain} ",
    "line end": lambda plain: f"{plain}\n",
    "other digits": lambda plain: plain.replace("0", "\u0660"),
}


@pytest.mark.parametrize("write", UUIDS_IN_OTHER_FORMS.values(), ids=UUIDS_IN_OTHER_FORMS)
def test_uuid_in_a_non_canonical_form_is_a_different_caller(trusted, write):
    canonical = "ab0c1d2e-3f40-4a5b-8c6d-7e8f90a1b2c3"
    other = write(canonical)

    answer = authorize(trusted.token(sub=other, org_id=other))

    assert authorize(trusted.token(sub=canonical, org_id=canonical))["context"]["org_id"] == canonical
    assert answer["context"]["caller_id"] == str(uuid5(NAMESPACE_URL, f"{trusted.url}#{other}"))
    assert "org_id" not in answer["context"]


@pytest.mark.parametrize("said", [None, False, "false", "True", "1", 1, 0, [True], {"email": True}], ids=str)
def test_unverified_email_is_omitted(trusted, said):
    kept = json.loads(authorize(trusted.token(email="ana@example.org", email_verified=said))["context"]["claims"])

    assert set(kept) == {"sub", "role"}


@pytest.mark.parametrize("said", [True, "true"])
def test_verified_email_is_kept(trusted, said):
    kept = json.loads(authorize(trusted.token(email="ana@example.org", email_verified=said))["context"]["claims"])

    assert (kept["email"], kept["email_verified"]) == ("ana@example.org", True)


@pytest.mark.parametrize("said", [None, False, True])
def test_email_is_kept_from_an_issuer_that_always_verifies(trusted, monkeypatch, said):
    monkeypatch.setenv("TOKEN_EMAILS_VERIFIED", "true")

    kept = json.loads(authorize(trusted.token(email="ana@example.org", email_verified=said))["context"]["claims"])

    assert (kept["email"], kept["email_verified"]) == ("ana@example.org", True)


def test_service_role_is_taken_only_from_a_signed_token(trusted):
    assert authorize(trusted.token(role="service_role"))["context"]["role"] == "service_role"

    token = trusted.token()
    header, _, signature = token.split(".")
    claims = {**jwt.decode(token, options={"verify_signature": False}), "role": "service_role"}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    assert refused(f"{header}.{forged}.{signature}")
    assert refused(headers={"Authorization": f"Bearer {token}x", "role": "service_role"})
    assert authorize(headers={"Authorization": f"Bearer {token}", "role": "service_role"})["context"]["role"] == (
        "authenticated"
    )


def test_organization_that_is_no_uuid_is_omitted(trusted):
    assert "org_id" not in authorize(trusted.token(org_id="org_ab12"))["context"]


@pytest.mark.parametrize(
    "claims",
    [
        {"name": "a\0b"},
        {"name": "x" * 201},
        {"name": 5},
        {"email": ["a"]},
        {"locale": "x" * 36},
        {"zoneinfo": "x" * 101},
    ],
)
def test_invalid_optional_claim_is_omitted(trusted, claims):
    kept = json.loads(authorize(trusted.token(**claims))["context"]["claims"])

    assert set(kept) == {"sub", "role"}


def now() -> int:
    """Return the current time in seconds."""
    return int(time.time())


def from_now(claims: dict[str, Any]) -> dict[str, Any]:
    """Return the claims, with relative times in seconds made absolute."""
    return {
        name: now() + value if name in ("exp", "nbf") and isinstance(value, int) else value
        for name, value in claims.items()
    }


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": -61},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": 120},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": []},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "a\0b"},
        {"role": "postgres"},
        {"role": "anon"},
        {"role": ["service_role"]},
        {"padding": "x" * 9000},
    ],
    ids="+".join,
)
def test_token_with_invalid_claims_is_refused(trusted, claims):
    assert refused(trusted.token(**from_now(claims)))


@pytest.mark.parametrize("claims", [{"exp": -30}, {"nbf": 30}, {"aud": ["other", AUDIENCE]}])
def test_token_within_a_minute_of_leeway_or_for_several_audiences_is_accepted(trusted, claims):
    assert authorize(trusted.token(**from_now(claims)))["principalId"]


def test_token_of_another_key_with_a_known_key_id_is_refused(trusted):
    with issuer() as stranger:
        token = stranger.token("rsa", iss=trusted.url)

    assert refused(token)


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return the first two parts of a token."""
    parts = (json.dumps(part).encode() for part in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "HS512", "RS512", "PS256", "ES384", None])
def test_other_algorithm_is_refused_without_fetching_keys(trusted, algorithm):
    claims = jwt.decode(trusted.token(), options={"verify_signature": False})
    head = unsigned({"alg": algorithm, "kid": "rsa", "typ": "JWT"}, claims)
    public = trusted.keys["rsa"][0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signature = base64.urlsafe_b64encode(hmac.digest(public, head.encode(), "sha256")).rstrip(b"=").decode()

    assert refused(f"{head}.{signature}")
    assert refused(f"{head}.")
    assert trusted.requests == []  # refused before any key is fetched


def test_key_verifies_its_own_algorithm_only(trusted):
    assert refused(trusted.token("rsa", header={"kid": "ec"}))
    assert refused(trusted.token("ec", header={"kid": "rsa"}))


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"use": ""},
        {"use": ["sig"]},
        {"key_ops": ["encrypt"]},
        {"key_ops": ["wrapKey", "unwrapKey"]},
        {"key_ops": ["sign"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"use": "sig", "key_ops": ["encrypt"]},
        {"use": "enc", "key_ops": ["verify"]},
        {"alg": "RSA-OAEP-256"},
        {"alg": "PS256"},
        {"alg": "RS512"},
        {"alg": ""},
        {"alg": None},
    ],
    ids=str,
)
def test_key_not_meant_for_verification_is_refused(trusted, members):
    trusted.add_rsa("other", **members)

    assert refused(trusted.token("other"))
    assert authorize(trusted.token("rsa"))


@pytest.mark.parametrize(
    "members", [{"use": "sig"}, {"key_ops": ["verify"]}, {"use": "sig", "key_ops": ["verify"]}], ids=str
)
def test_verification_key_is_found_beside_an_encryption_key_with_the_same_id(trusted, members):
    trusted.add_rsa("same", use="enc")
    encryption = json.loads(trusted.pages["/.well-known/jwks.json"][2])["keys"][-1]
    trusted.add_rsa("same", **members)
    keys = [encryption, *json.loads(trusted.pages["/.well-known/jwks.json"][2])["keys"]]
    trusted.pages["/.well-known/jwks.json"] = (200, {}, json.dumps({"keys": keys}).encode())

    assert authorize(trusted.token("same"))


def test_short_key_is_refused(trusted):
    trusted.add_rsa("short", bits=1024)

    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        token = trusted.token("short")
    assert refused(token)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YW5hOmFuYQ=="},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Bearer ..."},
        {"Authorization": "Bearer " + "x" * 100_000},
        {"Authorization": "Bearer \ud800.\ud800.\ud800"},
        {"Authorization": "Bearer ünïcödé.a.b"},
        {"X-Authorization": "Bearer a.b.c"},
    ],
    ids=lambda headers: str(headers)[:40].encode("ascii", "replace").decode(),
)
def test_malformed_authorization_header_is_refused(trusted, headers):
    assert refused(headers=headers)


def test_two_authorization_headers_are_refused(trusted):
    event = {
        "methodArn": METHOD_ARN,
        "headers": {"Authorization": f"Bearer {trusted.token()}"},
        "multiValueHeaders": {"Authorization": [f"Bearer {trusted.token()}"] * 2},
        "requestContext": {"requestId": "r1"},
    }

    with pytest.raises(authorizers.Unauthorized):
        gateway.invoke("authorize", event)


def test_header_name_and_scheme_are_case_insensitive(trusted):
    assert authorize(headers={"authorization": f"bEARER {trusted.token()}"})


def test_keys_are_fetched_once(trusted):
    for _ in range(5):
        authorize(trusted.token("rsa"))
        authorize(trusted.token("ec"))

    assert trusted.requests == ["/.well-known/jwks.json"]


def test_new_key_is_fetched_and_unknown_keys_cause_no_further_fetches(trusted, monkeypatch):
    authorize(trusted.token())
    trusted.add_ec("new")
    clock = time.monotonic()
    monkeypatch.setattr(tokens.time, "monotonic", lambda: clock + tokens.KEYS_REFRESH_SECONDS_MIN + 1)
    assert authorize(trusted.token("new"))
    assert len(trusted.requests) == 2

    for number in range(20):
        assert refused(trusted.token(header={"kid": f"no-{number}"}))
    assert len(trusted.requests) == 2


def test_keys_are_discovered_when_no_url_is_configured(trusted, monkeypatch):
    monkeypatch.delenv("TOKEN_JWKS_URL")
    document = {"issuer": trusted.url, "jwks_uri": trusted.jwks_url}
    trusted.pages["/.well-known/openid-configuration"] = (200, {}, json.dumps(document).encode())

    assert authorize(trusted.token())
    assert trusted.requests == ["/.well-known/openid-configuration", "/.well-known/jwks.json"]


def test_discovery_document_of_another_issuer_is_refused(trusted, monkeypatch):
    monkeypatch.delenv("TOKEN_JWKS_URL")
    document = {"issuer": "https://elsewhere.example", "jwks_uri": trusted.jwks_url}
    trusted.pages["/.well-known/openid-configuration"] = (200, {}, json.dumps(document).encode())

    with pytest.raises(tokens.KeysUnavailable):
        authorize(trusted.token())


@pytest.mark.parametrize(
    "page",
    [
        (500, {}, b""),
        (404, {}, b"{}"),
        (200, {}, b"<html>"),
        (200, {}, b"[]"),
        (200, {}, b'{"keys": []}'),
        (200, {}, b'{"keys": [5, {"kty": "RSA"}]}'),
        (200, {}, b"[" * 100_000),
        (200, {"Content-Length": "99999"}, b"{}"),
        (302, {"Location": "/elsewhere"}, b""),
    ],
    ids=lambda page: f"{page[0]} {page[2][:12]!r}",
)
def test_unusable_key_document_raises_keys_unavailable(trusted, page):
    good = trusted.pages["/.well-known/jwks.json"]
    trusted.pages["/elsewhere"] = good
    trusted.pages["/.well-known/jwks.json"] = page

    with pytest.raises(tokens.KeysUnavailable):
        authorize(trusted.token())


def test_key_document_over_the_size_limit_is_not_read_to_its_end(trusted):
    status, headers, body = trusted.pages["/.well-known/jwks.json"]
    trusted.pages["/.well-known/jwks.json"] = (status, headers, body + b" " * tokens.FETCH_BYTES_MAX)

    with pytest.raises(tokens.KeysUnavailable, match="too long"):
        authorize(trusted.token())


def test_shared_secret_among_the_keys_verifies_nothing(trusted):
    trusted.pages["/.well-known/jwks.json"] = (200, {}, b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "rsa"}]}')

    assert refused(trusted.token())


def test_slow_issuer_raises_keys_unavailable_in_time(trusted, monkeypatch):
    monkeypatch.setattr(tokens, "FETCH_SECONDS_MAX", 0.2)
    trusted.seconds_late = 1

    began = time.monotonic()
    with pytest.raises(tokens.KeysUnavailable):
        authorize(trusted.token())
    assert time.monotonic() - began < 0.9


def test_unreachable_issuer_raises_keys_unavailable(trusted, monkeypatch):
    monkeypatch.setenv("TOKEN_JWKS_URL", "http://127.0.0.1:9/jwks.json")

    with pytest.raises(tokens.KeysUnavailable):
        authorize(trusted.token())


@pytest.mark.parametrize("url", ["http://issuer.example/jwks", "file:///etc/passwd", "ftp://127.0.0.1/keys", "jwks"])
def test_keys_are_fetched_only_over_https_or_from_localhost(trusted, monkeypatch, url):
    monkeypatch.setenv("TOKEN_JWKS_URL", url)

    with pytest.raises(tokens.KeysUnavailable, match="https"):
        authorize(trusted.token())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_changed_token_is_refused(trusted, data):
    token = trusted.token(data.draw(st.sampled_from(["rsa", "ec"])))
    place = data.draw(st.integers(0, len(token) - 1))
    change = data.draw(st.sampled_from(["replace", "insert", "delete", "truncate"]))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0"))
    changed = {
        "replace": token[:place] + letter + token[place + 1 :],
        "insert": token[:place] + letter + token[place:],
        "delete": token[:place] + token[place + 1 :],
        "truncate": token[:place],
    }[change]

    if changed.strip().rstrip("=") != token:
        assert refused(changed)


def test_sample_event_reaches_the_token_check(trusted):
    sample = json.loads((gateway.FUNCTIONS.parent / "events" / "authorize-request.json").read_text())

    with pytest.raises(authorizers.Unauthorized):
        gateway.invoke("authorize", sample)


def test_neither_tokens_nor_claims_are_logged(trusted, caplog, capsys):
    token = trusted.token(email="ana@example.org", sub="secret-subject")
    authorize(token)
    refused(token + "x")

    printed = caplog.text + "".join(capsys.readouterr())
    assert "ana@example.org" not in printed
    assert "secret-subject" not in printed
    assert token[-40:] not in printed
