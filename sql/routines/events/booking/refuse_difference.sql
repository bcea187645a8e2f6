-- events.refuse_difference: refuse to move a booking, because the difference of the prices cannot be taken at once.
--
-- `missing_cents` is what the wallet lacks, or null if the request names a method that pays later. The methods are
-- those that can pay at once. Internal: runs with the rights of the routine that calls it.
--
-- Refuses, always: 402 payment_required, with payments.quote_answer, methods and missing_cents.

create or replace function events.refuse_difference(
    quote payments.quotes, event_id uuid, seats integer, missing_cents bigint
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'PT402', message = 'payment_required',
        detail = (
            payments.quote_answer(refuse_difference.quote)
            || jsonb_build_object(
                'methods', to_jsonb(array_remove(array_remove(
                    payments.payment_methods(
                        refuse_difference.quote, refuse_difference.event_id, refuse_difference.seats
                    ),
                    'card'
                ), 'twint')),
                'missing_cents', refuse_difference.missing_cents,
                'detail', 'A move takes the difference of the prices at once, and not by card. Add the missing amount'
                ' to the wallet, choose one of `methods`, or cancel this booking and book the other event.'
            )
        )::text;
end;
$$;

comment on function events.refuse_difference(payments.quotes, uuid, integer, bigint) is
'Refuse to move a booking, because the difference of the prices cannot be taken at once.';
