"""The webhook function stores each signed Stripe event before it responds, and refuses everything else."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from marquee.core import database
from marquee.core.identity import service
from marquee.payments import inbox as inbox_of_events
from marquee.payments import signatures
from tests.kit import gateway, stages

SECRET, OLD_SECRET = "whsec_of_today", "whsec_of_yesterday"
PATH = "/webhooks/stripe"


@pytest.fixture(autouse=True)
def signing(monkeypatch):
    monkeypatch.setenv("STRIPE_SIGNING_SECRETS", SECRET)


@pytest.fixture
def queue(aws, monkeypatch):
    """Create the queue, and return a function that receives the queued ids."""
    url = aws.sqs.create_queue(QueueName="stripe-events")["QueueUrl"]
    monkeypatch.setenv("STRIPE_EVENTS_QUEUE_URL", url)
    return lambda: [message["event_id"] for message in aws.received(url)]


def an_event(number=1, **members):
    return {
        "id": f"evt_{number:024}",
        "object": "event",
        "type": "payment_intent.succeeded",
        "api_version": "2026-10-28.endive",
        "created": 1_790_000_000,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
        **members,
    }


def signed(body, *secrets, stamp=None):
    return signatures.header_of(body, secrets or (SECRET,), now=time.time() if stamp is None else stamp)


def send(event, header=None, **options):
    """Post an event or bytes, signed with today's secret unless a header is given."""
    body = event if isinstance(event, bytes) else json.dumps(event, indent=2).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if header != "":
        headers["Stripe-Signature"] = header or signed(body)
    return gateway.post("webhooks", PATH, body.decode(), headers=headers, **options)


def inbox(db):
    return db.execute("select * from payments.webhook_inbox order by event_id").fetchall()


def refusal_reasons(capsys):
    """Return the reasons of the counted refusals."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"WebhookRefused"' in line]
    return [line["reason"] for line in lines]


def test_stripe_event_is_stored_without_personal_data_and_queued(db, queue):
    thing = {
        "id": "pi_1",
        "object": "payment_intent",
        "status": "succeeded",
        "description": "Zürich \x00 ☃",
        "client_secret": "pi_1_secret_marker",
        "receipt_email": "marker@example.org",
        "metadata": {"n": "marker"},
        "latest_charge": {"billing_details": {"name": "marker"}},
    }
    event = an_event(data={"object": thing})

    answer = send(event)

    assert (answer.status, answer.body) == (
        200,
        {"event_id": event["id"], "duplicate": False, "status": "received"},
    )
    (row,) = inbox(db)
    assert (row["type"], row["account"], row["livemode"], row["api_version"], row["status"]) == (
        "payment_intent.succeeded",
        None,
        False,
        "2026-10-28.endive",
        "received",
    )
    assert row["payload"] == {
        "id": event["id"],
        "object": "event",
        "type": event["type"],
        "created": event["created"],
        "data": {"object": {"id": "pi_1", "object": "payment_intent", "status": "succeeded"}},
    }
    assert row["created_at"].timestamp() == event["created"]
    assert queue() == [event["id"]]


def test_stripe_event_delivered_twice_is_stored_once_and_acknowledged(db, queue):
    send(an_event())
    db.execute("update payments.webhook_inbox set status = 'handled', handled_at = now()")
    queue()

    answer = send(an_event())

    assert (answer.status, answer.body["duplicate"], answer.body["status"]) == (200, True, "handled")
    assert len(inbox(db)) == 1
    assert queue() == []


def test_concurrent_deliveries_store_a_stripe_event_once_for_one_worker(db):
    event = inbox_of_events.Event.model_validate(an_event())

    def deliver(_number):
        try:
            with database.single(database.service()) as session:
                receipt = inbox_of_events.receive(session, event)
            return receipt.duplicate, inbox_of_events.claim(event.id) is not None
        finally:
            database.disconnect()

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(deliver, range(48)))

    assert [duplicate for duplicate, _ in found].count(False) == 1
    assert [claimed for _, claimed in found].count(True) == 1
    assert len(inbox(db)) == 1


def test_unhandled_stripe_event_is_queued_again_when_redelivered(db, queue):
    send(an_event())
    queue()

    assert send(an_event()).body == {"event_id": an_event()["id"], "duplicate": True, "status": "received"}

    assert queue() == [an_event()["id"]]


def test_webhook_returns_503_while_the_database_is_down(db, queue, monkeypatch):
    database.disconnect()
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/marquee")

    answer = send(an_event())

    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert queue() == []


def test_webhook_fails_on_a_database_fault(db, queue):
    db.execute("drop function payments.receive_webhooks")

    with pytest.raises(Exception, match="receive_webhooks"):
        send(an_event())

    assert queue() == []


def test_stripe_event_that_cannot_be_queued_is_stored_and_acknowledged(db, aws, monkeypatch, capsys):
    monkeypatch.setenv("STRIPE_EVENTS_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/123456789012/gone")

    assert send(an_event()).status == 200

    assert [row["status"] for row in inbox(db)] == ["received"]
    assert '"WebhookNotQueued"' in capsys.readouterr().out


def test_one_valid_v1_signature_of_several_is_enough(db, queue):
    body = json.dumps(an_event()).encode()
    header = signed(body, "whsec_of_nobody", SECRET) + f",v0={'0' * 64}"

    assert send(body, header).status == 200
    assert len(inbox(db)) == 1


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_both_secrets_are_accepted_during_a_rotation(db, queue, monkeypatch, secret):
    monkeypatch.setenv("STRIPE_SIGNING_SECRETS", f"{SECRET}, {OLD_SECRET}")
    body = json.dumps(an_event()).encode()

    assert send(body, signed(body, secret)).status == 200


def test_old_secret_is_refused_after_a_rotation(db, queue):
    body = json.dumps(an_event()).encode()

    assert send(body, signed(body, OLD_SECRET)).body["code"] == "signature_mismatch"


@pytest.mark.parametrize(("seconds", "status"), [(-290, 200), (290, 200), (-310, 400), (310, 400)])
def test_signature_timestamp_may_be_five_minutes_off(db, queue, capsys, seconds, status):
    body = json.dumps(an_event()).encode()

    answer = send(body, signed(body, stamp=time.time() + seconds))

    assert answer.status == status
    if status == 400:
        reason = "signature_stale" if seconds < 0 else "signature_future"
        assert answer.body["code"] == reason
        assert refusal_reasons(capsys) == [reason]
        assert inbox(db) == []


BODY = json.dumps(an_event()).encode()


@pytest.mark.parametrize(
    ("body", "header", "reason"),
    [
        (BODY, "", "signature_missing"),
        (BODY, "v1=" + "0" * 64, "signature_malformed"),
        (BODY, "t=now,v1=" + "0" * 64, "signature_malformed"),
        (BODY, "t=1,t=2,v1=" + "0" * 64, "signature_malformed"),
        (BODY, "t=1790000000,v1=Zz", "signature_malformed"),
        (BODY, "t=1790000000,v0=" + "0" * 64, "signature_malformed"),
        (BODY, "t=1790000000" + (",v1=" + "0" * 64) * 17, "signature_malformed"),
        (BODY, lambda: signed(BODY, "whsec_wrong"), "signature_mismatch"),
        (BODY[:-2], lambda: signed(BODY), "signature_mismatch"),
        (BODY + b" ", lambda: signed(BODY), "signature_mismatch"),
        (BODY.replace(b"pi_1", b"pi_2"), lambda: signed(BODY), "signature_mismatch"),
        (BODY, lambda: signed(BODY).replace("t=", "t=1"), "signature_mismatch"),
        (BODY, lambda: signed(BODY, "whsec_wrong").replace("v1=", "v0=") + ",v1=" + "0" * 64, "signature_mismatch"),
        (BODY[:-2], lambda: signed(BODY[:-2]), "not_an_event"),
        (b"[]", lambda: signed(b"[]"), "not_an_event"),
        (b'{"object":"event"}', lambda: signed(b'{"object":"event"}'), "not_an_event"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)
def test_unsigned_or_invalid_body_is_refused_and_counted(db, queue, capsys, body, header, reason):
    # Sign now, because the tests may have been collected long ago.
    answer = send(body, header() if callable(header) else header)

    assert (answer.status, answer.body["code"]) == (400, reason)
    assert refusal_reasons(capsys) == [reason]
    assert inbox(db) == []
    assert queue() == []


@pytest.mark.parametrize(
    "members",
    [
        {"id": "pi_1"},
        {"id": "evt_" + "a" * 300},
        {"type": "Payment Intent"},
        {"created": "yesterday"},
        {"created": -1},
        {"livemode": "no"},
        {"data": {}},
        {"account": "somebody"},
        {"object": "v2.core.event"},
    ],
    ids=str,
)
def test_signed_body_that_is_not_a_stripe_event_is_refused(db, queue, members):
    assert send(an_event(**members)).body["code"] == "not_an_event"
    assert inbox(db) == []


def test_base64_body_is_verified_as_stripe_sent_it(db, queue):
    event = gateway.event("POST", PATH, BODY, headers={"Stripe-Signature": signed(BODY)})
    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == BODY

    assert gateway.invoke("webhooks", event)["statusCode"] == 200
    assert len(inbox(db)) == 1


def test_body_over_a_megabyte_is_refused_and_counted(db, queue, capsys):
    body = json.dumps(an_event(request={"id": "x" * 1024 * 1024})).encode()

    assert send(body).status == 413
    assert refusal_reasons(capsys) == ["body_too_large"]


def test_body_under_a_megabyte_is_accepted(db, queue):
    assert send(an_event(request={"id": "x" * 1000 * 1000})).status == 200


def test_stripe_event_of_the_other_mode_is_refused_and_counted(db, queue, monkeypatch, capsys):
    assert send(an_event(livemode=True)).body["code"] == "wrong_mode"
    assert refusal_reasons(capsys) == ["wrong_mode"]

    monkeypatch.setenv("STRIPE_MODE", "live")
    assert send(an_event(livemode=True)).status == 200
    assert send(an_event(2)).body["code"] == "wrong_mode"


def test_only_stripe_events_of_known_accounts_are_accepted(db, queue, capsys):
    stage = stages.create(db)
    db.execute(
        "insert into organizations.payout_accounts (organization_id, stripe_account_id) values (%s, 'acct_ours')",
        [stage.organization_id],
    )

    assert send(an_event(1, account="acct_theirs")).body["code"] == "foreign_account"
    assert refusal_reasons(capsys) == ["foreign_account"]
    assert inbox(db) == []
    assert send(an_event(2, account="acct_ours")).status == 200
    assert [row["account"] for row in inbox(db)] == ["acct_ours"]


def test_signing_secrets_are_read_from_secrets_manager(db, queue, aws, monkeypatch):
    import boto3
    from aws_lambda_powertools.utilities import parameters

    parameters.clear_caches()
    text = json.dumps({"signing_secrets": ["whsec_new", SECRET]})
    arn = boto3.client("secretsmanager").create_secret(Name="signing", SecretString=text)["ARN"]
    monkeypatch.delenv("STRIPE_SIGNING_SECRETS")
    monkeypatch.setenv("STRIPE_SIGNING_SECRET_ARN", arn)

    assert send(an_event()).status == 200
    parameters.clear_caches()


def test_stripe_event_is_replayed_by_its_id(db, queue):
    send(an_event())
    db.execute("update payments.webhook_inbox set status = 'parked', attempts = 5, last_error = 'Boom'")
    queue()

    answer = gateway.post("webhooks", f"{PATH}/{an_event()['id']}/replay", caller=service())

    assert (answer.status, answer.body["status"]) == (202, "received")
    assert queue() == [an_event()["id"]]
    (row,) = inbox(db)
    assert (row["status"], row["attempts"]) == ("received", 0)


@pytest.mark.parametrize(("caller", "status"), [("nobody", 401), ("customer", 403), ("service", 404)])
def test_replay_is_for_the_service_and_known_stripe_events_only(db, queue, caller, status):
    who = {"nobody": None, "customer": uuid4(), "service": service()}[caller]

    assert gateway.post("webhooks", f"{PATH}/evt_unknown/replay", caller=who).status == status
