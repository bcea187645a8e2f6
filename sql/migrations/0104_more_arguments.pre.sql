-- squawk-ignore-file ban-drop-function
-- Drop routines that are created again in this transaction with other arguments. Each routine that earlier code calls
-- has one more argument with a default, so it is found.

-- These take the total that the customer saw.
drop function if exists events.book(uuid, integer, events.payment_method, uuid, boolean, uuid, text, text);
drop function if exists events.accept_offer(uuid, events.payment_method, text, text);
drop function if exists events.hold_seats(uuid, integer, uuid);
drop function if exists events.booking_request_hash(
    uuid, integer, boolean, events.payment_method, uuid, uuid, text
);
drop function if exists payments.buy_package(uuid, events.payment_method, text);
drop function if exists payments.record_fee_payment(uuid);

-- This takes the consent to close waitlist entries.
drop function if exists events.update_event(uuid, jsonb);

-- These take a list price, the hold that an unpaid booking used, and whether to send a message or to return the first
-- response.
drop function if exists payments.quote_seats(events.terms, uuid, integer, text);
drop function if exists events.hold_until_paid(events.terms, uuid, integer, uuid);
drop function if exists payments.refuse_intent(uuid, jsonb);
drop function if exists payments.payment_details(uuid);

-- Only routines call these, and this transaction creates each caller again.
drop function if exists
    events.adjust_inventory(uuid, integer, integer, integer),
    events.refuse_sold_out(uuid),
    events.require_seats(events.terms, uuid, integer),
    events.resolve_payment_method(events.terms, payments.quotes, events.payment_method, text),
    payments.payment_methods(uuid, text);
