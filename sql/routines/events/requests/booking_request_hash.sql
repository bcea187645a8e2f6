-- events.booking_request_hash: return a hash of a booking request, which distinguishes a repeated request from another
-- one with the same key.
--
-- The hash is stored with the key for a week: changing it turns honest retries into conflicts. The planner inlines it
-- into the calling statement.

create or replace function events.booking_request_hash(
    event_id uuid,
    seats integer,
    guest boolean,
    payment_method events.payment_method,
    customer_id uuid,
    hold_id uuid,
    promo_code text,
    total_cents bigint
)
returns bytea
language sql
stable
return sha256(convert_to(
    format(
        '%s|%s|%s%s', booking_request_hash.event_id, booking_request_hash.seats, booking_request_hash.guest,
        '|' || coalesce(booking_request_hash.payment_method::text, '')
        || '|' || coalesce(booking_request_hash.customer_id::text, '')
        || '|' || coalesce(booking_request_hash.hold_id::text, '')
        || coalesce('|' || upper(trim(booking_request_hash.promo_code)), '')
        || coalesce('|=' || booking_request_hash.total_cents, '')
    ),
    'UTF8'
));

comment on function events.booking_request_hash(
    uuid, integer, boolean, events.payment_method, uuid, uuid, text, bigint
) is
'Return a hash of a booking request.';
