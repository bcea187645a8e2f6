"""Callers, and what the database is told of them."""

from uuid import uuid4

import pytest

from marquee.core.identity import Caller, anonymous, service

pytestmark = pytest.mark.usefixtures("sockets_off")


def test_what_was_verified_wins_over_what_else_the_token_says():
    ana, somebody = uuid4(), str(uuid4())
    claims = {"sub": somebody, "role": "service_role", "org_id": somebody, "name": "Ana"}

    assert Caller(ana, "authenticated", claims=claims).database_claims() == {
        "sub": str(ana), "role": "authenticated", "name": "Ana",
    }  # fmt: skip
    assert Caller(None, "anon", claims=claims).database_claims() == {"role": "anon", "name": "Ana"}


def test_nobody_and_the_service_have_no_id():
    assert anonymous().database_claims() == {"role": "anon"}
    assert service().database_claims() == {"role": "service_role"}
