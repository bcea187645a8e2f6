"""Disputes: the payer asks the bank for the money back; they are won or lost in the end."""

from local.stripe import charge_lifecycle
from local.stripe.balances import fee_detail, moved
from local.stripe.clock import DAY_SECONDS
from local.stripe.errors import invalid
from local.stripe.identity import new_id
from local.stripe.lists import PAGE_BY_TIME, page
from local.stripe.parameters import Fields, Flag, Metadata, Text, merged
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given, route
from local.stripe.store import Json

DISPUTE_FEE = 1500
EVIDENCE_DAYS = 9
EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal",
    "customer_email_address", "customer_name", "customer_purchase_ip", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "refund_policy_disclosure", "refund_refusal_explanation",
    "service_date", "shipping_address", "shipping_carrier", "shipping_date", "shipping_tracking_number",
    "uncategorized_text",
)  # fmt: skip
FILES = (
    "cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation", "receipt",
    "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file",
)  # fmt: skip
REASONS = ("duplicate", "fraudulent", "general", "product_not_received", "product_unacceptable", "unrecognized")
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
VERDICTS = {"winning_evidence": "dispute_won", "losing_evidence": "dispute_lost"}


@route("GET", "/v1/disputes/{id}")
def retrieve(work: RequestContext, _: Given, id: str) -> Json:
    """Return a dispute."""
    return work.get("dispute", id, "dispute")


@route("GET", "/v1/disputes", {**PAGE_BY_TIME, "charge": Text(), "payment_intent": Text()})
def list_all(work: RequestContext, given: Given) -> Json:
    """List disputes, newest first."""
    filters = {name: given.get(name) for name in ("charge", "payment_intent")}
    return page(work, given, "dispute", "/v1/disputes", filters=filters)


@route(
    "POST",
    "/v1/disputes/{id}",
    {
        "evidence": Fields(kinds=dict.fromkeys(EVIDENCE, Text(clears=True, longest=20_000))),
        "metadata": Metadata(),
        "submit": Flag(),
    },
)
def update(work: RequestContext, given: Given, id: str) -> Json:
    """Send evidence for a dispute, which goes to the bank unless `submit` is false."""
    found = work.get("dispute", id, "dispute")
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    if "evidence" in given or given.get("submit"):
        if found["status"] not in OPEN:
            raise invalid("This dispute is already closed")
        found["evidence"] |= given.get("evidence", {})
        found["evidence_details"]["has_evidence"] = any(value for value in found["evidence"].values())
        if given.get("submit", True):
            _submit(work, found)
    work.emit("charge.dispute.updated", found)
    return found


@route("POST", "/v1/disputes/{id}/close")
def close(work: RequestContext, _: Given, id: str) -> Json:
    """Accept that a dispute is lost."""
    found = work.get("dispute", id, "dispute")
    if found["status"] not in OPEN:
        raise invalid("This dispute is already closed")
    return closed(work, id, "lost")


def opened(work: RequestContext, charge_id: str, reason: str = "fraudulent", *, inquiry: bool = False) -> Json:
    """Open a payer's dispute of a charge; the money leaves at once, except with an inquiry."""
    charge = work.get("charge", charge_id)
    if charge["disputed"] or charge["status"] != "succeeded" or not charge["captured"]:
        raise invalid(f"Charge {charge_id} cannot be disputed.")
    if reason not in REASONS:
        raise invalid(f"Invalid reason: must be one of {', '.join(REASONS)}", param="reason")
    charge_lifecycle.settled(work, charge_id)
    made = _new(work, charge, reason, inquiry=inquiry)
    charge["disputed"] = True
    if inquiry:
        work.store.hide(charge_id, {"refundable": True})
    else:
        booked = moved(
            work,
            "adjustment",
            -made["amount"],
            made["currency"],
            made["id"],
            fees=[{**fee_detail(DISPUTE_FEE, made["currency"]), "description": "Dispute fee"}],
            description=f"Chargeback withdrawal for {charge_id}",
            at_once=True,
            category="dispute",
        )
        made["balance_transactions"] = [dict(booked)]
    work.add(made)
    work.emit("charge.dispute.created", made)
    if not inquiry:
        work.emit("charge.dispute.funds_withdrawn", made)
    work.emit("charge.updated", charge)
    return made


def closed(work: RequestContext, id: str, status: str) -> Json:
    """Close a dispute by the bank's decision: won or lost."""
    found = work.get("dispute", id)
    if found["status"] not in OPEN:
        raise invalid("This dispute is already closed")
    if status not in ("won", "lost"):
        raise invalid("Invalid status: must be one of won or lost", param="status")
    if found["status"].startswith("warning"):
        found["status"] = "warning_closed"
        work.emit("charge.dispute.closed", found)
        return found
    found["status"] = status
    if status == "won":
        booked = moved(
            work,
            "adjustment",
            found["amount"],
            found["currency"],
            found["id"],
            description=f"Chargeback reversal for {found['charge']}",
            at_once=True,
            category="dispute_reversal",
        )
        found["balance_transactions"].append(dict(booked))
        found["is_charge_refundable"] = True
        work.store.hide(found["charge"], {"refundable": True})
        work.emit("charge.dispute.funds_reinstated", found)
    work.emit("charge.dispute.closed", found)
    return found


def decided(work: RequestContext, id: str, status: str) -> None:
    """Close a dispute after evidence whose text names the result, as a task."""
    if work.get("dispute", id)["status"] in OPEN:
        closed(work, id, status)


def _submit(work: RequestContext, found: Json) -> None:
    details = found["evidence_details"]
    details["submission_count"] += 1
    details["submission_method"] = "manual"
    warning = found["status"].startswith("warning")
    found["status"] = "warning_under_review" if warning else "under_review"
    task = VERDICTS.get(found["evidence"]["uncategorized_text"] or "")
    if task is not None:
        work.later(work.pace.dispute_seconds, task, found["id"])


def _new(work: RequestContext, charge: Json, reason: str, *, inquiry: bool) -> Json:
    card = charge["payment_method_details"].get("card")
    made: Json = {
        "id": new_id("du"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys((*EVIDENCE, *FILES)), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": work.now - work.now % DAY_SECONDS + EVIDENCE_DAYS * DAY_SECONDS - 1,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4" if card else None,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": None,
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    if card is not None:
        made["payment_method_details"] = {
            "card": {
                "brand": card["brand"],
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": card["network"],
                "network_reason_code": "10.4",
            },
            "type": "card",
        }
    return made
