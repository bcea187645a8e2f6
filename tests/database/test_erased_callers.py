"""Test that every routine that callers may execute refuses an erased person, except the erasure itself.

The routines come from the catalog. They are called as the customer and as the owner of our organization. Their profiles
are erased while their other rows still exist, as after a fault.
"""

import json
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.kit import gateway, rating_requests, routine_probes, routines, stages
from tests.kit.routine_probes import CUSTOMER, OWNER, person

ERASE = "update users.profiles set name = null, email = null, email_verified_at = null, erased_at = now() where id = {}"
SENTENCE = {"detail": "This account was erased. Sign up with a new account."}
EXCEPTIONS = {
    "users.erase_profile": "repeats the erasure, for later data",
    "ops.take_tokens": "takes tokens of the caller's own bucket, before the request is checked",
    "ops.record_samples": "records the duration of a request, without a person",
    "ops.uuid_v7": "creates an id",
    "messaging.webhook_delivery_answer": "shows rows that row security shows: the organization's, to its members",
    "messaging.unsubscribe": "public: the signed token is the proof, and the token of an erased person is refused",
    "organizations.ownership_offer_status": "computes from a row that the caller already has",
    "payments.refund_debt_status": "computes from a row that the caller already has",
    "payments.invoice_language": "returns a language code",
    "rating.honest_share": "returns a setting of the organization",
}


def is_refused(outcome):
    """Return whether a call was refused because of the erasure or because of missing rights."""
    if outcome.refusal is None:
        return False
    state, message, detail = outcome.refusal
    if (state, message) == ("PT403", "forbidden") and json.loads(detail or "{}") == SENTENCE:
        return True
    return state in ("PT403", "PT404", "42501")


def passes(probe, user_id):
    """Yield each routine that does not refuse an erased person, with its outcome."""
    who = person("an erased person", user_id)
    with probe.after(sql.SQL(ERASE).format(sql.Literal(user_id))):
        for routine in probe.routines:
            if "authenticated" not in routine.roles or routine.name in EXCEPTIONS:
                continue
            if "anon" in routine.roles and not routine.volatile:
                continue  # public: anyone can read it without a token
            for arguments in probe.arguments(routine):
                outcome = probe.call(who, routine, arguments)
                if not is_refused(outcome):
                    yield routine.signature, outcome.refusal or outcome.rows[:1]


@pytest.mark.parametrize("user_id", [CUSTOMER, OWNER], ids=["customer", "owner"])
def test_routines_refuse_an_erased_caller(probe, user_id):
    passed = dict(passes(probe, user_id))
    assert passed == {}


def test_listed_exceptions_are_existing_routines(probe):
    assert EXCEPTIONS.keys() <= {routine.name for routine in probe.routines}


def test_walk_detects_a_routine_that_ignores_the_erasure(server, probe):
    """Test the walk itself: create a routine that it must report."""
    with psycopg.connect(server.url("probed"), autocommit=True) as owner:
        owner.execute(
            """
            create function users.novelty() returns uuid language sql volatile security definer
            set search_path = pg_catalog, pg_temp as $$ select ops.caller_id() $$;
            grant execute on function users.novelty() to authenticated;
            """
        )
        try:
            found = [signature for signature, _ in passes(routine_probes.Probe(probe._connection, owner), CUSTOMER)]
        finally:
            owner.execute("drop function users.novelty()")

    assert found == ["users.novelty()"]


def test_erased_person_cannot_rate_through_the_queue(db):
    stage = stages.create(db)
    rating_requests.publish(db, stage.organization_id, {"a": 50.0, "b": 50.0})
    customer = stage.customer()
    routines.call(db, customer, "select users.erase_profile(%s)", [customer])
    vote = {"type": "vote", "key": "My name is Ana", "item_a": "a", "item_b": "b", "winner": "a"}
    request = {
        "request_id": str(uuid4()),
        "part": 1,
        "parts": 1,
        "organization_id": str(stage.organization_id),
        "caller_id": str(customer),
        "role": "authenticated",
        "events": [vote],
    }

    [written] = routines.call(db, None, "select rating.ingest_requests(%s)", [json.dumps([request])])
    answer = gateway.post(
        "ingest",
        "/ratings/events",
        {"organization_id": str(stage.organization_id), "events": [vote]},
        caller=customer,
    )

    assert (written["accepted"], written["refused"]) == (0, 1)
    assert (answer.status, answer.body["code"], answer.body["detail"]) == (403, "forbidden", SENTENCE["detail"])
    assert db.execute("select from rating.event_keys").fetchall() == []
