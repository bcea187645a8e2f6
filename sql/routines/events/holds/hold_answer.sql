-- events.hold_answer: return a hold as the API shows it, with the price of its seats.
--
-- The price includes tax, and a booking with this hold costs as much while the hold is active.

create or replace function events.hold_answer(hold events.holds, terms events.terms)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', (hold_answer.hold).id,
        'event_id', (hold_answer.hold).event_id,
        'customer_id', (hold_answer.hold).customer_id,
        'seats', (hold_answer.hold).seats,
        'purpose', (hold_answer.hold).purpose,
        'status', (hold_answer.hold).status,
        'expires_at', (hold_answer.hold).expires_at,
        'price_cents', (
            payments.quote_seats(
                hold_answer.terms, (hold_answer.hold).customer_id, (hold_answer.hold).seats,
                list_cents => events.held_list_cents(hold_answer.hold)
            )
        ).total_cents,
        'currency', (hold_answer.terms).currency
    );
$$;

comment on function events.hold_answer(events.holds, events.terms) is
'Return a hold as the API shows it, with the price of its seats.';
