"""Every refusal of the API: its status, the sentence that people read, and its row in docs/reference/api.md.

A sentence says what is wrong, and what to do next. `{seats_left}` stands for the value of a member of the problem
document. Members without a value in the sentence are named in backquotes. A refusal's own sentence has precedence.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple


class Refusal(NamedTuple):
    """A code's entry. `when` and `members` are Markdown for developers; `also` are other statuses from the gateway."""

    status: int
    sentence: str
    when: str
    members: str = ""
    also: tuple[int, ...] = ()


_NO_PLACE = "the organization has no such place"
_UNKNOWN = "it does not exist, or the caller may not know of it"
_STRIPE = "an invalid [Stripe webhook](../parts/stripe-webhooks.md#receiving-events)"
_NOT_SIGNED = "The signature does not match the body, or is too old. Resend it."
_APPEND_ONLY = "the [ledger](../concepts/ledger.md) is append-only"
_PHASE = "the event or series is in another phase"
_NOT_ALLOWED = "Stripe does not allow this method, account or page"

BY_CODE: Mapping[str, Refusal] = {
    "account_not_found": Refusal(404, "There is no such account, or you may not see it. Check the id.", _UNKNOWN),
    "address_not_invited": Refusal(
        403,
        "The invitation is for another e-mail address than the verified one of your account. Sign in with the invited"
        " address, or ask for an invitation of yours.",
        "the code alone gives no rights: the caller's verified address must be the invited one",
    ),
    "already_booked": Refusal(
        409,
        "You already booked this event: `booking_id`. Cancel it, or send `guest` for more seats.",
        "the customer has a live booking; `guest` asks for more seats",
        "`booking_id`",
    ),
    "already_held": Refusal(
        409,
        "You hold {seats} seats of this event: `hold_id`. Book them, or release them first.",
        "the customer wants to wait for an event of which they hold seats",
        "`hold_id`, `seats`",
    ),
    "already_invited": Refusal(
        409,
        "This address has a pending invitation: `invitation_id`. Send it again, or revoke it first.",
        "the address has a pending invitation of the organization",
        "`invitation_id`",
    ),
    "already_member": Refusal(
        409,
        "This person is a member of the organization already. Change their role instead.",
        "the invited person, or the caller, is a member",
    ),
    "already_owner": Refusal(
        409, "This member is an owner already. Choose another member.", "the ownership is offered to an owner"
    ),
    "already_reversed": Refusal(
        409, "This transaction was already reversed, by `reversal_id`. Post a new transaction instead.", _APPEND_ONLY
    ),
    "body_too_large": Refusal(413, "The body is too large. Send less.", "over 256 KB"),
    "booking_not_confirmed": Refusal(
        409,
        "The booking's status is {status}. Only a confirmed booking can be changed.",
        "the booking is unpaid, over or cancelled",
        "`status`",
    ),
    "booking_not_found": Refusal(404, "There is no such booking, or you may not see it. Check the id.", _UNKNOWN),
    "booking_window_closed": Refusal(
        409,
        "Booking is open only from `opens_at` to `closes_at`. Book in this time.",
        "before `opens_at` or after `closes_at` (staff: after the end)",
    ),
    "calendar_not_found": Refusal(
        404,
        "There is no calendar at this address, or the address was revoked. Create a new one.",
        "an unknown or revoked secret",
    ),
    "capacity_below_sold": Refusal(
        409,
        "{capacity_min} seats of an event are sold or held. Choose a capacity of {capacity_min} or more.",
        "the capacity is below the sold and held seats; `events` lists the first 20 such events",
        "`capacity`, `capacity_min`, `events`",
    ),
    "closure_not_found": Refusal(404, "There is no such closure, or you may not see it. Check the id.", _UNKNOWN),
    "closure_too_large": Refusal(
        409,
        "The period has {events} events, {bookings} bookings and {waitlist_entries} waitlist entries. One closure"
        " cancels at most {most} in all. Close a shorter period first, then the next one.",
        "a closure would cancel more than one request may",
        "`events`, `bookings`, `waitlist_entries`, `most`",
    ),
    "currency_fixed": Refusal(
        409,
        "The organization was paid in {currency}, so its currency cannot change. Create another organization.",
        "the currency after the first payment",
        "`currency`",
    ),
    "customer_blocked": Refusal(
        409,
        "The organization does not accept bookings, holds, waitlist entries or purchases of this customer. Ask its"
        " staff.",
        "the organization has blocked the customer; its staff unblock them first",
    ),
    "customer_exists": Refusal(
        409,
        "The organization has a customer with this e-mail address: `customer_id`. Use that customer.",
        "the address of a walk-in is that of another customer of the organization",
        "`customer_id`",
    ),
    "customer_has_account": Refusal(
        409,
        "This customer has an account and changes name, address and language there. Change only the tags.",
        "details of a customer who is no walk-in",
    ),
    "customer_not_found": Refusal(
        404,
        "The organization has no such customer. Check the id: customers have booked, waited or bought there, or staff"
        " have entered them.",
        _UNKNOWN,
    ),
    "double_booked": Refusal(
        409,
        "Another event has the room, instructor or resource at this time: `conflicts`. Choose another time or place.",
        "a room, instructor or resource in use",
        "`conflicts`",
    ),
    "erasure_not_requested": Refusal(
        404,
        "No erasure of your account is scheduled, so there is nothing to cancel.",
        "the caller has no scheduled erasure",
    ),
    "event_begun": Refusal(
        409,
        "The event started at {starts_at}: it cannot be changed, and only the organizer's staff can cancel bookings.",
        _PHASE,
    ),
    "event_not_bookable": Refusal(
        409,
        "The event cannot be booked: its status is {status}. Choose another event.",
        (
            "cancelled, completed or a draft, even if it changed during the request; for others than staff,"
            " drafts and private events are `event_not_found`"
        ),
        "`status`",
    ),
    "event_not_editable": Refusal(
        409, "The event cannot be changed: its status is {status}. Create a new event.", _PHASE
    ),
    "event_not_found": Refusal(404, "There is no such event, or you may not see it. Check the id.", _UNKNOWN),
    "event_over": Refusal(
        409, "The event ended at {ended_at}, too late to cancel. Refund its bookings instead.", _PHASE
    ),
    "export_not_found": Refusal(
        404,
        "You have not requested your data. Request it first, by POST to the same address.",
        "the caller has no export, or the latest one was deleted after seven days",
    ),
    "fee_not_found": Refusal(404, "There is no such fee, or you may not see it. Check the id.", _UNKNOWN),
    "forbidden": Refusal(
        403,
        "You may see this, but not do it. Ask an admin of the organization.",
        "the caller may see it but not do this",
    ),
    "foreign_account": Refusal(
        400,
        "The Stripe event is of an account that no organization here has. Send it to that account's stack.",
        _STRIPE,
    ),
    "hold_again_later": Refusal(
        409,
        "You held seats of this event and did not book them. Hold again from {again_at}, or book now.",
        "an unused hold of this event ended recently",
        "`again_at`, `retry_after_seconds`, header `Retry-After`",
    ),
    "hold_expired": Refusal(
        409,
        "The hold has expired, or is for another customer or event. Hold or book again.",
        "the hold expired, or is of another customer or event",
    ),
    "hold_not_found": Refusal(404, "There is no such hold, or you may not see it. Check the id.", _UNKNOWN),
    "idempotency_conflict": Refusal(
        422,
        "This Idempotency-Key was sent with another request. Send a new key for a new request.",
        "the key belongs to another request",
    ),
    "idempotency_key_required": Refusal(
        400,
        "The Idempotency-Key header is missing. Send one with this request.",
        "a call that moves money has no `Idempotency-Key`",
    ),
    "instructor_not_found": Refusal(404, "There is no such instructor. Check the id.", _UNKNOWN),
    "insufficient_credits": Refusal(
        409,
        "Your passes for this event have {units} units and {needed} are needed. Pay another way.",
        "the matching passes have too few units",
        "`units`, `needed`",
    ),
    "insufficient_funds": Refusal(
        409,
        "The balance is {balance_cents} cents, {needed_cents} are needed. Top up or pay another way.",
        "the wallet, or another guarded account, has too little",
        "`account_id`, `balance_cents`, `needed_cents`",
    ),
    "invalid_request": Refusal(
        422,
        "The request is not valid. Correct the places in `errors`, and send it again.",
        "the form is invalid",
        "`errors`: `path`, `kind`, `message` of each",
        also=(400,),
    ),
    "invalid_transition": Refusal(
        409,
        "A change from {from} to {to} is not possible. Choose one of the states in `allowed`, if any.",
        "the state does not allow it",
        "`machine`, `from`, `to`, `allowed`",
    ),
    "invitation_closed": Refusal(
        409,
        "The invitation is {status}. Ask for another one.",
        "the invitation was accepted, declined or revoked, or has expired",
        "`status`",
    ),
    "invitation_not_found": Refusal(
        404, "There is no such invitation. Use the code of the last e-mail, or ask for another invitation.", _UNKNOWN
    ),
    "invoice_is_final": Refusal(
        409,
        "An issued invoice cannot be changed. Correct it by a credit note.",
        "an issued invoice is corrected by a credit note",
    ),
    "invoice_not_found": Refusal(404, "There is no such invoice, or you may not see it. Check the id.", _UNKNOWN),
    "item_not_found": Refusal(404, "There is no such item, or it has no score yet. Check the id.", _UNKNOWN),
    "last_owner": Refusal(
        409,
        "The organizations `organization_ids` would have no owner. Transfer the ownership to another member first.",
        "the only owner cannot leave, take a lower role or be erased",
        "`organization_ids`",
    ),
    "leaderboard_not_found": Refusal(
        404, "There is no such leaderboard, or you may not see it. Check the organization's id.", _UNKNOWN
    ),
    "ledger_is_append_only": Refusal(
        409, "Ledger entries cannot be changed. Correct a transaction by reversing it.", _APPEND_ONLY
    ),
    "link_not_found": Refusal(404, "The event has no such link. Check the id.", _UNKNOWN),
    "location_not_found": Refusal(404, "There is no such location. Check the id.", _NO_PLACE),
    "low_contrast": Refusal(
        422,
        "The contrast of `member` with its background is `contrast`. Choose colours with 4.5 or more.",
        "unreadable colours",
        "`member`, `contrast`",
    ),
    "malformed_json": Refusal(400, "The body is not JSON in UTF-8. Correct it.", "the body is not JSON in UTF-8"),
    "member_not_found": Refusal(404, "The organization has no such member. List its members.", _UNKNOWN),
    "method_not_allowed": Refusal(
        405,
        "This path does not support this method. Use one of `allowed_methods`.",
        "a function has no route for the method; behind the gateway it is `route_not_found`",
        "`allowed_methods`, header `Allow`",
    ),
    "no_entries": Refusal(
        422, "The transaction has no entries. Send entries that sum to zero.", "a transaction moves nothing"
    ),
    "no_event_accepted": Refusal(
        422,
        "None of the events was accepted. Correct them as `results` says, and send them again.",
        "all [ratings](../parts/ratings.md#sending-events) were refused",
        (
            "`results`, each with a `code`: `invalid_event`, `unknown_type`, `items_are_the_same`,"
            " `winner_not_in_pair`, `key_reused`, `forbidden`, `item_not_found`, `daily_limit_reached`"
        ),
    ),
    "not_a_no_show": Refusal(
        409,
        "The booking is no no-show: its status is {status}. Record the no-show first.",
        "the excused booking has another status",
        "`status`",
    ),
    "not_an_event": Refusal(400, "The body is not a Stripe event. Send an event as Stripe does.", _STRIPE),
    "note_not_found": Refusal(404, "There is no such note about this customer. Check the id.", _UNKNOWN),
    "nothing_to_pay": Refusal(
        409,
        "Nothing is owed, so there is no payment to record. Check the status of the fee, invoice or refund.",
        "nothing is open",
    ),
    "nothing_to_refund": Refusal(
        409,
        "Nothing remains to be refunded. Check the refunds that were made before.",
        "nothing remains of the payment",
    ),
    "notification_not_found": Refusal(
        404, "You have no such notification. List your notifications.", "it does not exist, or is another person's"
    ),
    "offer_not_open": Refusal(
        409,
        "No seats are offered: the status of the entry is {status}. Accept an offer while it is open.",
        "no seats are offered, or the offer expired",
    ),
    "onboarding_not_possible": Refusal(
        409,
        "Stripe does not allow this account or page. Read `stripe_code`, and correct the request.",
        _NOT_ALLOWED,
        "`stripe_code`",
    ),
    "organization_archived": Refusal(
        409,
        "The organization is archived: no bookings, holds, waitlist entries or new events. An owner can open it again.",
        "the organization is archived",
    ),
    "organization_not_found": Refusal(
        404, "There is no such organization, or you may not see it. Check the id.", _UNKNOWN
    ),
    "organizations_reserved": Refusal(
        403,
        "Only the operator of this platform creates organizations. Ask the operator.",
        "the limit `organizations_per_person` is 0",
    ),
    "other_organization": Refusal(
        409,
        "The other event belongs to another organization. Cancel this booking, and book the other event.",
        "a booking is moved to an event of another organization",
    ),
    "ownership_offer_closed": Refusal(
        409,
        "The offer of ownership is {status}. Ask an owner for another one.",
        "the offer was accepted, declined or withdrawn, or has expired",
        "`status`",
    ),
    "ownership_offer_not_found": Refusal(
        404, "There is no such offer of ownership, or you may not see it. Check the id.", _UNKNOWN
    ),
    "ownership_offered": Refusal(
        409,
        "The ownership is offered already: `offer_id`. Withdraw that offer first.",
        "an organization has one open offer",
        "`offer_id`",
    ),
    "package_not_found": Refusal(
        404, "There is no such package, or it is not on sale. List the organization's packages.", _UNKNOWN
    ),
    "payment_disputed": Refusal(
        409,
        "The customer's bank has reversed the payment. Wait until the dispute is closed.",
        "no refund until the dispute ends",
    ),
    "payment_mismatch": Refusal(
        409,
        "Stripe reports another amount than the requested {amount_cents} cents in {currency}. Check it at Stripe.",
        "the amount paid at Stripe is not the requested one",
        "`amount_cents`, `currency`",
    ),
    "payment_not_found": Refusal(404, "There is no such payment, or you may not see it. Check the id.", _UNKNOWN),
    "payment_not_possible": Refusal(
        409, "Stripe does not allow this payment. Pay another way.", _NOT_ALLOWED, "`stripe_code`"
    ),
    "payment_processing": Refusal(
        409,
        "Stripe is processing the payment. Wait for its result, then pay by another method if it failed.",
        "Stripe is processing the payment",
    ),
    "payment_required": Refusal(
        402,
        "The price is {price_cents} cents in {currency}. Send one of `methods` as `payment_method`.",
        "a price, but no available `payment_method`",
        (
            "`price_cents` (the amount to pay), `list_cents`, `discount_cents`, `net_cents`, `tax_cents`,"
            " `tax_percent`, `tax_added`, `currency`, `methods`"
        ),
    ),
    "place_closed": Refusal(
        409,
        "The place is closed from {starts_at} to {ends_at}: `closure_id`. Choose another time, or end the closure.",
        "an event would be created in, or moved into, a closed time",
        "`closure_id`, `starts_at`, `ends_at`",
    ),
    "policy_not_found": Refusal(404, "There is no such booking policy. Check the id.", _UNKNOWN),
    "price_changed": Refusal(
        409,
        "The price is {price_cents} cents in {currency}. Show it to the customer, then send it as `total_cents`.",
        "`total_cents` is not the price",
        "the members of `payment_required`",
    ),
    "promo_code_exists": Refusal(
        409,
        "The organization already has a promo code of that name. Choose another name.",
        "the organization has a code of that name",
    ),
    "promo_code_not_found": Refusal(404, "There is no such promo code. Check its spelling, or send none.", _UNKNOWN),
    "promo_code_not_valid": Refusal(
        409,
        "The promo code is not valid here (reason: {reason}). Send another one, or none.",
        "not now, not in this currency, or nothing to pay",
        "`reason`: `not_yet`, `over`, `currency`, `nothing_to_pay`",
    ),
    "promo_code_used_up": Refusal(
        409,
        "The promo code was used as often as it may be. Send another one, or none.",
        "its uses are exhausted",
        "`limit`: `everybody`, `customer`",
    ),
    "purchase_not_found": Refusal(404, "There is no such purchase, or you may not see it. Check the id.", _UNKNOWN),
    "rate_limited": Refusal(
        429,
        "Too many requests. Try again in {retry_after_seconds} seconds.",
        "too many requests",
        "`retry_after_seconds`, header `Retry-After`",
    ),
    "rating_request_not_found": Refusal(
        404, "There is no such request, or its results were deleted. Check the id.", _UNKNOWN
    ),
    "refund_exceeds_payment": Refusal(
        409,
        "The refund is more than the unrefunded part of the payment. Send a lower amount.",
        "more than the remaining payment",
    ),
    "refund_not_found": Refusal(404, "There is no such refund, or you may not see it. Check the id.", _UNKNOWN),
    "request_refused": Refusal(
        400,
        "The gateway refused the request. Correct it as `detail` says.",
        "the gateway refused the request before a function ran",
    ),
    "request_too_large": Refusal(
        413, "The request is too large. Send at most 10 megabytes.", "over 10 MB, at the gateway"
    ),
    "resource_not_found": Refusal(404, "There is no such resource. Check the id.", _NO_PLACE),
    "retention_period_out_of_bounds": Refusal(
        422,
        "This period must be between {least} and {most}. Choose one within these bounds.",
        "an operator sets a retention period that a law or another feature does not allow",
        "`least`, `most`",
    ),
    "retention_rule_not_found": Refusal(
        404, "There is no such retention rule. sql/retention.md lists them.", "no rule with a period has this name"
    ),
    "reversal_differs": Refusal(
        422,
        "A reversal has exactly its transaction's entries, with the opposite sign. Correct the entries.",
        "the entries are not those of the transaction with the opposite sign",
    ),
    "reversal_is_final": Refusal(409, "A reversal cannot be reversed. Post the transaction again.", _APPEND_ONLY),
    "room_not_found": Refusal(404, "There is no such room. Check the id.", _NO_PLACE),
    "rotated_too_often": Refusal(
        409,
        "The endpoint has four valid secrets, the maximum. Wait until one expires: 24 hours after its replacement.",
        "four valid secrets of one endpoint",
    ),
    "route_not_found": Refusal(404, "There is no such path. Check the URL.", "no such path or method"),
    "seats_available": Refusal(
        409,
        "Enough seats are free, so you need not wait. Book them.",
        "no need to wait: seats are free",
        "`seats_left`",
    ),
    "seats_not_fewer": Refusal(
        409,
        "The booking has {seats} seats. Ask for fewer, or book more with `guest`.",
        "a booking is to keep more seats than it has",
        "`seats`",
    ),
    "series_archived": Refusal(409, "The series is archived, which is final. Create a new one.", _PHASE),
    "series_not_found": Refusal(404, "There is no such series, or you may not see it. Check the id.", _UNKNOWN),
    "signature_future": Refusal(400, _NOT_SIGNED, _STRIPE),
    "signature_malformed": Refusal(400, _NOT_SIGNED, _STRIPE),
    "signature_mismatch": Refusal(400, _NOT_SIGNED, _STRIPE),
    "signature_missing": Refusal(400, _NOT_SIGNED, _STRIPE),
    "signature_stale": Refusal(400, _NOT_SIGNED, _STRIPE),
    "slug_changed_lately": Refusal(
        409,
        "A slug can change once in 30 days. Change it from `again_at` on.",
        "a second change within 30 days",
        "`again_at`",
    ),
    "slug_taken": Refusal(
        409,
        "The slug {slug} belongs to another organization. Choose another one.",
        "another organization's slug",
        "`slug`",
    ),
    "sold_out": Refusal(
        409,
        (
            "Not enough seats are on sale ({seats_left} left). Ask for fewer, or join the waitlist if `waitlist` is"
            " true."
        ),
        "fewer seats remain than requested",
        "`seats_left`, `waitlist` (whether the customer may join it)",
    ),
    "tax_number_not_valid": Refusal(
        422,
        "This is not a valid tax number of {country}. Check its digits, or omit `tax_number`.",
        "wrong for the country",
        "`country`",
    ),
    "tests_pending": Refusal(
        409,
        "Ten tests of this endpoint are not yet delivered, the maximum. Wait for them.",
        "ten tests wait for delivery",
    ),
    "till_closed": Refusal(
        409,
        "This day of the till is closed, until {day}. Read its report, or close a later day.",
        "the day was closed with another count, or a stored row would change",
        "`day`, `counted_cents`",
    ),
    "till_short": Refusal(
        409,
        "The till has {balance_cents} of {needed_cents} cents in cash. Bring cash first, or take out less.",
        "cash that the till does not have",
        "`balance_cents`, `needed_cents`",
    ),
    "too_early": Refusal(409, "Attendance can be recorded from {from}. Try again then.", _PHASE),
    "too_many_closures": Refusal(
        409,
        "{most} closures are not over, the maximum. End some, or close one longer period.",
        "the organization's limit",
        "`most`",
    ),
    "too_many_events": Refusal(
        409,
        "{most} events outside series are planned, the maximum. Create a series, or cancel some.",
        "the organization's limit",
        "`most`",
    ),
    "too_many_held": Refusal(
        409,
        ("You hold {seats_held} of at most {seats_max} unbooked seats. Ask for {seats_left} or fewer, or book some."),
        "the customer's [limit of unbooked or unpaid seats](../concepts/booking.md#limits-per-person)",
        "`seats_held`, `seats_max`, `seats_left`",
    ),
    "too_many_invitations": Refusal(
        409,
        "There were {most} invitations by e-mail, the maximum. Try again tomorrow.",
        "the limit of a day, or of one invitation",
        "`most`",
    ),
    "too_many_links": Refusal(
        409, "The event has {most} valid links. Revoke one first.", "the event has the maximum of links", "`most`"
    ),
    "too_many_members": Refusal(
        409,
        "The organization has {most} members and pending invitations, the maximum. Remove or revoke one first.",
        "500 members and pending invitations",
        "`most`",
    ),
    "too_many_names": Refusal(
        409, "The booking has {seats} seats. Send at most as many names.", "more names than seats", "`seats`"
    ),
    "too_many_no_shows": Refusal(
        409,
        "You did not come to {no_shows} booked events in the last {days} days. Book online from `again_at` on, or ask"
        " the organizer.",
        "no-shows reach the policy's `blocked_after_no_shows`; staff can still book, or excuse one",
        "`no_shows`, `days`, `again_at`",
    ),
    "too_many_notes": Refusal(
        409, "There are {most} notes about this customer, the maximum. Delete one first.", "200 notes", "`most`"
    ),
    "too_many_organizations": Refusal(
        409,
        "You own {most} organizations, the maximum. Archive one, or hand it to another owner.",
        "the limit per person",
        "`most`",
    ),
    "too_many_places": Refusal(
        409,
        "The organization has {most} of these, the maximum. Change one that is not in use.",
        "the organization's limit",
        "`most`",
    ),
    "too_many_seats": Refusal(
        409,
        "You may have {seats_left} more seats of this event. Ask for fewer, or ask the organizer.",
        "one person's limit of seats of the event",
        "`seats_left`",
    ),
    "too_many_series": Refusal(
        409, "The organization has {most} series, the maximum. Archive one first.", "the organization's limit", "`most`"
    ),
    "too_many_waiting_seats": Refusal(
        409,
        (
            "You wait for {seats_waiting} of at most {seats_max} seats. Ask for {seats_left} or fewer, or"
            " leave a waitlist."
        ),
        "one person's limit of seats waited for",
        "`seats_waiting`, `seats_max`, `seats_left`",
    ),
    "too_many_waits": Refusal(
        409,
        "{waits} waitlist entries are open, the maximum. Leave one waitlist first.",
        "one person's limit of waitlist entries",
        "`waits`, `waits_max`",
    ),
    "too_many_walk_ins": Refusal(
        409,
        "The organization entered {most} people without an account in 24 hours, the maximum. Try again tomorrow.",
        "the limit of a day",
        "`most`",
    ),
    "too_many_webhook_endpoints": Refusal(
        409, "The organization has {most} endpoints, the maximum. Delete one first.", "twenty endpoints", "`most`"
    ),
    "transaction_not_found": Refusal(404, "There is no such transaction. Check the id.", _UNKNOWN),
    "unauthenticated": Refusal(
        401,
        "A valid token is required. Send the header Authorization: Bearer with a token of the issuer.",
        "the token is missing or invalid",
    ),
    "unavailable": Refusal(
        503,
        "Marquee cannot do this at the moment. Send the request again with the same Idempotency-Key.",
        "repeat it later with the same key",
        "`retry_after_seconds`, header `Retry-After`",
        also=(502, 504),
    ),
    "unbalanced": Refusal(
        422,
        "The entries do not sum to zero in each currency. Correct the amounts.",
        "the entries do not sum to zero",
        "`sums_cents`",
    ),
    "unsubscribe_link_not_found": Refusal(
        404,
        "This link does not work. Use the link of a newer e-mail, or sign in and change your preferences.",
        "the token is not ours, or its key was deleted",
    ),
    "unsupported_media_type": Refusal(
        415, "Send application/json in UTF-8, without Content-Encoding.", "not `application/json` in UTF-8, or encoded"
    ),
    "voter_not_found": Refusal(404, "There is no such voter. Check the id.", _UNKNOWN),
    "waitlist_closed": Refusal(
        409,
        "The waitlist has ended, or the event has fewer seats than you want. Look again for free seats.",
        "the waitlist has ended (`last_offer_at`), or the event has fewer seats than wanted",
        "`last_offer_at`, `capacity`, `seats_left`",
    ),
    "waitlist_entry_not_found": Refusal(
        404, "There is no such waitlist entry, or you may not see it. Check the id.", _UNKNOWN
    ),
    "webhook_delivery_not_found": Refusal(
        404, "There is no such delivery, or you may not see it. Check the id.", _UNKNOWN
    ),
    "webhook_endpoint_disabled": Refusal(
        409, "The endpoint is disabled. Enable it first.", "enable the endpoint first"
    ),
    "webhook_endpoint_not_found": Refusal(
        404, "There is no such endpoint, or you may not see it. Check the id.", _UNKNOWN
    ),
    "webhook_not_found": Refusal(404, "There is no such webhook. Check the event's id.", _UNKNOWN),
    "would_cancel": Refusal(
        409,
        "This would cancel {bookings} bookings and {waitlist_entries} waitlist entries of {people} people."
        " Send the numbers in `confirm` to continue.",
        "an edit would cancel bookings or waitlist entries that `confirm` does not cover",
        "`events`, `bookings`, `waitlist_entries`, `people`, `seats`",
    ),
    "wrong_mode": Refusal(400, "The event is of Stripe's other mode. Send it to the stack of that mode.", _STRIPE),
}
"""The entries in the order of their codes."""


_VALUE = re.compile(r"\{(\w+)\}")


def sentence_of(code: str, members: Mapping[str, Any]) -> str | None:
    """Return a code's sentence with the values of the refusal's members. A missing one is named in backquotes."""
    refusal = BY_CODE.get(code)
    if refusal is None:
        return None
    given = {name: value for name, value in members.items() if value is not None}
    return _VALUE.sub(lambda found: str(given.get(found[1], f"`{found[1]}`")), refusal.sentence)
