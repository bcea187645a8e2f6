"""The authorizer: real tokens with real keys, and everything that must not pass for one."""

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
    """One issuer for the module; making keys takes long."""
    with issuer() as the_issuer:
        yield the_issuer


@pytest.fixture
def trusted(running: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """The issuer that the authorizer trusts, with its two keys and nothing cached of it."""
    keys, pages = dict(running.keys), dict(running.pages)
    monkeypatch.setenv("TOKEN_ISSUER", running.url)
    monkeypatch.setenv("TOKEN_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("TOKEN_JWKS_URL", running.jwks_url)
    tokens.verifier.cache_clear()
    running.requests.clear()
    yield running
    running.keys, running.pages, running.seconds_late = keys, pages, 0


def authorize(token: str | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Ask the authorizer about a request with this token."""
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
    """Whether API Gateway would answer 401; any other error passes through."""
    try:
        authorize(token, headers)
    except authorizers.Unauthorized as error:
        return str(error) == "Unauthorized"
    return False


@pytest.mark.parametrize("kid", ["rsa", "ec"])
def test_a_good_token_is_let_into_the_whole_stage(trusted, kid):
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


def test_a_subject_that_is_no_uuid_gets_a_lasting_one_of_its_issuer(trusted):
    answer = authorize(trusted.token(sub="auth0|ana"))

    assert answer["context"]["caller_id"] == str(uuid5(NAMESPACE_URL, f"{trusted.url}#auth0|ana"))


@pytest.mark.parametrize("other", ["auth0|ana", "AB0C1D2E-3F40-4A5B-8C6D-7E8F90A1B2C3"])
def test_subject_that_is_the_hash_of_another_is_another_person(trusted, other):
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
def test_subject_that_no_hash_can_equal_is_the_id(trusted, subject):
    assert authorize(trusted.token(sub=subject))["context"]["caller_id"] == subject


def test_every_uuid_is_the_id_for_an_issuer_of_uuids_and_nothing_else_is(trusted, monkeypatch):
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
def test_subject_in_another_form_than_the_canonical_is_another_person(trusted, write):
    canonical = "ab0c1d2e-3f40-4a5b-8c6d-7e8f90a1b2c3"
    other = write(canonical)

    answer = authorize(trusted.token(sub=other, org_id=other))

    assert authorize(trusted.token(sub=canonical, org_id=canonical))["context"]["org_id"] == canonical
    assert answer["context"]["caller_id"] == str(uuid5(NAMESPACE_URL, f"{trusted.url}#{other}"))
    assert "org_id" not in answer["context"]


@pytest.mark.parametrize("said", [None, False, "false", "True", "1", 1, 0, [True], {"email": True}], ids=str)
def test_address_is_left_out_unless_it_is_verified(trusted, said):
    kept = json.loads(authorize(trusted.token(email="ana@example.org", email_verified=said))["context"]["claims"])

    assert set(kept) == {"sub", "role"}


@pytest.mark.parametrize("said", [True, "true"])
def test_verified_address_is_kept(trusted, said):
    kept = json.loads(authorize(trusted.token(email="ana@example.org", email_verified=said))["context"]["claims"])

    assert (kept["email"], kept["email_verified"]) == ("ana@example.org", True)


@pytest.mark.parametrize("said", [None, False, True])
def test_address_of_an_issuer_that_always_verifies_is_kept(trusted, monkeypatch, said):
    monkeypatch.setenv("TOKEN_EMAILS_VERIFIED", "true")

    kept = json.loads(authorize(trusted.token(email="ana@example.org", email_verified=said))["context"]["claims"])

    assert (kept["email"], kept["email_verified"]) == ("ana@example.org", True)


def test_the_service_role_is_the_issuers_to_give(trusted):
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


def test_an_organization_that_is_no_uuid_is_none(trusted):
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
def test_a_claim_that_cannot_be_kept_is_left_out(trusted, claims):
    kept = json.loads(authorize(trusted.token(**claims))["context"]["claims"])

    assert set(kept) == {"sub", "role"}


def now() -> int:
    """The present second."""
    return int(time.time())


def from_now(claims: dict[str, Any]) -> dict[str, Any]:
    """The claims with times that were given as seconds from now."""
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
def test_a_token_with_the_wrong_claims_is_refused(trusted, claims):
    assert refused(trusted.token(**from_now(claims)))


@pytest.mark.parametrize("claims", [{"exp": -30}, {"nbf": 30}, {"aud": ["other", AUDIENCE]}])
def test_a_minute_of_leeway_and_several_audiences_are_fine(trusted, claims):
    assert authorize(trusted.token(**from_now(claims)))["principalId"]


def test_a_token_of_another_key_under_a_known_name_is_refused(trusted):
    with issuer() as stranger:
        token = stranger.token("rsa", iss=trusted.url)

    assert refused(token)


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token's first two parts."""
    parts = (json.dumps(part).encode() for part in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "HS512", "RS512", "PS256", "ES384", None])
def test_no_other_algorithm_passes(trusted, algorithm):
    claims = jwt.decode(trusted.token(), options={"verify_signature": False})
    head = unsigned({"alg": algorithm, "kid": "rsa", "typ": "JWT"}, claims)
    public = trusted.keys["rsa"][0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signature = base64.urlsafe_b64encode(hmac.digest(public, head.encode(), "sha256")).rstrip(b"=").decode()

    assert refused(f"{head}.{signature}")
    assert refused(f"{head}.")
    assert trusted.requests == []  # refused before anybody is asked for keys


def test_a_key_is_used_with_its_own_algorithm_only(trusted):
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
def test_key_that_is_not_for_verifying_is_refused(trusted, members):
    trusted.add_rsa("other", **members)

    assert refused(trusted.token("other"))
    assert authorize(trusted.token("rsa"))


@pytest.mark.parametrize(
    "members", [{"use": "sig"}, {"key_ops": ["verify"]}, {"use": "sig", "key_ops": ["verify"]}], ids=str
)
def test_key_for_verifying_is_accepted_beside_one_for_encryption_of_the_same_name(trusted, members):
    trusted.add_rsa("same", use="enc")
    encryption = json.loads(trusted.pages["/.well-known/jwks.json"][2])["keys"][-1]
    trusted.add_rsa("same", **members)
    keys = [encryption, *json.loads(trusted.pages["/.well-known/jwks.json"][2])["keys"]]
    trusted.pages["/.well-known/jwks.json"] = (200, {}, json.dumps({"keys": keys}).encode())

    assert authorize(trusted.token("same"))


def test_a_short_key_is_refused(trusted):
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
def test_what_is_no_token_is_refused(trusted, headers):
    assert refused(headers=headers)


def test_two_authorization_headers_are_one_too_many(trusted):
    event = {
        "methodArn": METHOD_ARN,
        "headers": {"Authorization": f"Bearer {trusted.token()}"},
        "multiValueHeaders": {"Authorization": [f"Bearer {trusted.token()}"] * 2},
        "requestContext": {"requestId": "r1"},
    }

    with pytest.raises(authorizers.Unauthorized):
        gateway.invoke("authorize", event)


def test_the_header_and_the_scheme_may_be_written_in_any_case(trusted):
    assert authorize(headers={"authorization": f"bEARER {trusted.token()}"})


def test_keys_are_fetched_once(trusted):
    for _ in range(5):
        authorize(trusted.token("rsa"))
        authorize(trusted.token("ec"))

    assert trusted.requests == ["/.well-known/jwks.json"]


def test_a_new_key_is_found_and_unknown_ones_do_not_storm_the_issuer(trusted, monkeypatch):
    authorize(trusted.token())
    trusted.add_ec("new")
    clock = time.monotonic()
    monkeypatch.setattr(tokens.time, "monotonic", lambda: clock + tokens.KEYS_REFRESH_SECONDS_MIN + 1)
    assert authorize(trusted.token("new"))
    assert len(trusted.requests) == 2

    for number in range(20):
        assert refused(trusted.token(header={"kid": f"no-{number}"}))
    assert len(trusted.requests) == 2


def test_keys_are_found_by_discovery_where_no_place_is_configured(trusted, monkeypatch):
    monkeypatch.delenv("TOKEN_JWKS_URL")
    document = {"issuer": trusted.url, "jwks_uri": trusted.jwks_url}
    trusted.pages["/.well-known/openid-configuration"] = (200, {}, json.dumps(document).encode())

    assert authorize(trusted.token())
    assert trusted.requests == ["/.well-known/openid-configuration", "/.well-known/jwks.json"]


def test_another_issuers_discovery_document_is_not_believed(trusted, monkeypatch):
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
def test_without_good_keys_nobody_is_let_in_and_nobody_is_told_that_the_token_is_bad(trusted, page):
    good = trusted.pages["/.well-known/jwks.json"]
    trusted.pages["/elsewhere"] = good
    trusted.pages["/.well-known/jwks.json"] = page

    with pytest.raises(tokens.KeysUnavailable):
        authorize(trusted.token())


def test_an_endless_list_of_keys_is_not_read_to_its_end(trusted):
    status, headers, body = trusted.pages["/.well-known/jwks.json"]
    trusted.pages["/.well-known/jwks.json"] = (status, headers, body + b" " * tokens.FETCH_BYTES_MAX)

    with pytest.raises(tokens.KeysUnavailable, match="too long"):
        authorize(trusted.token())


def test_a_shared_secret_among_the_keys_signs_nothing(trusted):
    trusted.pages["/.well-known/jwks.json"] = (200, {}, b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "rsa"}]}')

    assert refused(trusted.token())


def test_an_issuer_that_does_not_answer_in_time_is_a_fault(trusted, monkeypatch):
    monkeypatch.setattr(tokens, "FETCH_SECONDS_MAX", 0.2)
    trusted.seconds_late = 1

    began = time.monotonic()
    with pytest.raises(tokens.KeysUnavailable):
        authorize(trusted.token())
    assert time.monotonic() - began < 0.9


def test_an_issuer_that_is_not_there_is_a_fault(trusted, monkeypatch):
    monkeypatch.setenv("TOKEN_JWKS_URL", "http://127.0.0.1:9/jwks.json")

    with pytest.raises(tokens.KeysUnavailable):
        authorize(trusted.token())


@pytest.mark.parametrize("url", ["http://issuer.example/jwks", "file:///etc/passwd", "ftp://127.0.0.1/keys", "jwks"])
def test_keys_come_over_https_or_from_this_machine(trusted, monkeypatch, url):
    monkeypatch.setenv("TOKEN_JWKS_URL", url)

    with pytest.raises(tokens.KeysUnavailable, match="https"):
        authorize(trusted.token())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_changed_token_passes(trusted, data):
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


def test_a_sample_event_is_understood(trusted):
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
