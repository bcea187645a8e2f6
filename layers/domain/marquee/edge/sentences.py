"""The sentence of each code: what is wrong, and what to do next. A refusal's own sentence has precedence.

`{seats_left}` stands for the value of a member of the problem document. Members without a value in the sentence are
named in backquotes.
"""

import re
from collections.abc import Mapping
from typing import Any

OF = {
    "account_not_found": "There is no such account, or you may not see it. Check the id.",
    "already_booked": "You already booked this event: `booking_id`. Cancel it, or send `guest` for more seats.",
    "already_held": "You hold {seats} seats of this event: `hold_id`. Book them, or release them first.",
    "already_reversed": "This transaction is already reversed, by `reversal_id`. It can be reversed only once.",
    "booking_not_found": "There is no such booking, or you may not see it. Check the id.",
    "booking_window_closed": "Booking is open only from `opens_at` to `closes_at`. Book in this time.",
    "capacity_below_sold": "More seats are sold and held than this capacity allows. Choose a higher capacity.",
    "customer_not_found": "The organization has no such customer. Customers have booked, waited or bought there.",
    "event_begun": "The event has started and cannot be changed any more.",
    "event_not_bookable": "The event cannot be booked: its status is {status}. Choose another event.",
    "event_not_editable": "The event cannot be changed: its status is {status}.",
    "event_not_found": "There is no such event, or you may not see it. Check the id.",
    "event_over": "The event ended at {ended_at}, so this is no longer possible.",
    "fee_not_found": "There is no such fee, or you may not see it. Check the id.",
    "forbidden": "You may see this, but not do it. Ask an admin of the organization.",
    "foreign_account": "The Stripe event is of an account that no organization here has.",
    "hold_again_later": "You held seats of this event and did not book them. Hold again from {again_at}, or book now.",
    "hold_expired": "The hold has expired, or is for another customer or number of seats. Hold or book again.",
    "hold_not_found": "There is no such hold, or you may not see it. Check the id.",
    "idempotency_conflict": "This Idempotency-Key was sent with another request. Send a new key for a new request.",
    "idempotency_key_required": "The Idempotency-Key header is missing. Send one with this request.",
    "instructor_not_found": "There is no such instructor. Check the id.",
    "insufficient_credits": "Your passes for this event have {units} units and {needed} are needed. Pay another way.",
    "insufficient_funds": "The balance is {balance_cents} cents, {needed_cents} are needed. Top up or pay another way.",
    "invalid_request": "The request is not valid. Correct the places in `errors`, and send it again.",
    "invalid_transition": "A change from {from} to {to} is not possible. `allowed` lists the possible states.",
    "invoice_is_final": "An issued invoice cannot be changed. Correct it by a credit note.",
    "invoice_not_found": "There is no such invoice, or you may not see it. Check the id.",
    "last_owner": "You are the only owner of `organization_ids`. Make another member an owner first.",
    "leaderboard_not_found": "There is no such leaderboard, or you may not see it. Check the organization's id.",
    "ledger_is_append_only": "Ledger entries cannot be changed. Correct a transaction by reversing it.",
    "no_entries": "The transaction has no entries. Send entries that sum to zero.",
    "nothing_to_pay": "Nothing is open, so there is no payment to record.",
    "nothing_to_refund": "Nothing remains to be refunded.",
    "offer_not_open": "No seats are offered: the status of the entry is {status}. Accept an offer while it is open.",
    "organization_not_found": "There is no such organization, or you may not see it. Check the id.",
    "package_not_found": "There is no such package, or it is not on sale. List the organization's packages.",
    "payment_disputed": "The customer's bank has reversed the payment. Wait until the dispute is closed.",
    "payment_mismatch": "Stripe reports another amount than the requested {amount_cents} cents in {currency}.",
    "payment_not_found": "There is no such payment, or you may not see it. Check the id.",
    "payment_required": "The price is {price_cents} cents in {currency}. Send one of `methods` as `payment_method`.",
    "promo_code_exists": "The organization already has a promo code of that name. Choose another name.",
    "promo_code_not_found": "There is no such promo code. Check its spelling, or send none.",
    "promo_code_not_valid": "The promo code is not valid here (reason: {reason}). Send another one, or none.",
    "promo_code_used_up": "The promo code was used as often as it may be. Send another one, or none.",
    "purchase_not_found": "There is no such purchase, or you may not see it. Check the id.",
    "rate_limited": "Too many requests. Try again in {retry_after_seconds} seconds.",
    "refund_exceeds_payment": "The refund is more than the unrefunded part of the payment. Send a lower amount.",
    "refund_not_found": "There is no such refund, or you may not see it. Check the id.",
    "reversal_differs": "A reversal must have the entries of its transaction with the opposite sign, and no others.",
    "reversal_is_final": "A reversal cannot be reversed. Post the transaction again.",
    "rotated_too_often": "The endpoint has four valid secrets, the maximum. A replaced one expires after 24 hours.",
    "seats_available": "Enough seats are free, so you need not wait. Book them.",
    "series_archived": "The series is archived, which is final. Create a new one.",
    "series_not_found": "There is no such series, or you may not see it. Check the id.",
    "sold_out": (
        "Not enough seats are left ({seats_left}), or they are reserved for the waitlist. Ask for fewer, or join the"
        " waitlist if `waitlist` is true."
    ),
    "tests_pending": "Ten tests of this endpoint are not yet delivered, the maximum. Wait for them.",
    "too_early": "Attendance can be recorded from {from}. Try again then.",
    "too_many_events": "{most} events outside series are planned, the maximum. Create a series, or cancel some.",
    "too_many_held": (
        "You hold {seats_held} of at most {seats_max} unbooked seats. Ask for {seats_left} or fewer, or book some."
    ),
    "too_many_seats": "You may have {seats_left} more seats of this event. Ask for fewer, or ask the organizer.",
    "too_many_series": "The organization has {most} series, the maximum. Archive one first.",
    "too_many_waiting_seats": (
        "You wait for {seats_waiting} of at most {seats_max} seats. Ask for {seats_left} or fewer, or leave a waitlist."
    ),
    "too_many_waits": "{waits} waitlist entries are open, the maximum. Leave one waitlist first.",
    "too_many_webhook_endpoints": "The organization has {most} endpoints, the maximum. Delete one first.",
    "transaction_not_found": "There is no such transaction. Check the id.",
    "unauthenticated": "A valid token is required. Send the header Authorization: Bearer with a token of the issuer.",
    "unbalanced": "The entries do not sum to zero in each currency. Correct the amounts.",
    "voter_not_found": "There is no such voter. Check the id.",
    "waitlist_closed": "The event has no waitlist for so many seats, or it is closed. Look again for free seats.",
    "waitlist_entry_not_found": "There is no such waitlist entry, or you may not see it. Check the id.",
    "webhook_delivery_not_found": "There is no such delivery, or you may not see it. Check the id.",
    "webhook_endpoint_disabled": "The endpoint is disabled. Enable it first.",
    "webhook_endpoint_not_found": "There is no such endpoint, or you may not see it. Check the id.",
    "webhook_not_found": "There is no such webhook. Check the event's id.",
}
"""By the code of the refusal."""

_VALUE = re.compile(r"\{(\w+)\}")


def sentence_of(code: str, members: Mapping[str, Any]) -> str | None:
    """Return a code's sentence with the values of the refusal's members. A missing one is named in backquotes."""
    sentence = OF.get(code)
    if sentence is None:
        return None
    given = {name: value for name, value in members.items() if value is not None}
    return _VALUE.sub(lambda found: str(given.get(found[1], f"`{found[1]}`")), sentence)
