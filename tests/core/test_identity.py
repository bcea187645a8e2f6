"""Callers, and the claims that the database receives for them."""

from uuid import uuid4

import pytest

from marquee.core.identity import Caller, anonymous, service

pytestmark = pytest.mark.usefixtures("sockets_off")


def test_verified_claims_override_other_claims_of_the_token():
    ana, somebody = uuid4(), str(uuid4())
    claims = {"sub": somebody, "role": "service_role", "org_id": somebody, "name": "Ana"}

    assert Caller(ana, "authenticated", claims=claims).database_claims() == {
        "sub": str(ana), "role": "authenticated", "name": "Ana",
    }  # fmt: skip
    assert Caller(None, "anon", claims=claims).database_claims() == {"role": "anon", "name": "Ana"}


def test_anonymous_caller_and_service_have_no_id():
    assert anonymous().database_claims() == {"role": "anon"}
    assert service().database_claims() == {"role": "service_role"}
