-- events.require_confirmation: refuse to cancel more bookings or waitlist entries than the caller has confirmed.
--
-- `cancelled` are the numbers of events.cancelled_commitments. `confirmed` is true, or the largest number of each kind;
-- a missing number is zero. Events without bookings and entries need no confirmation.
--
-- Refuses: 409 would_cancel, with the numbers.

create or replace function events.require_confirmation(cancelled jsonb, confirmed jsonb)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if
        (cancelled ->> 'bookings')::bigint + (cancelled ->> 'waitlist_entries')::bigint > 0
        and confirmed is distinct from 'true'
        and exists (
            select
            from jsonb_each_text(cancelled) as n
            where
                n.value::bigint > case
                    when jsonb_typeof(confirmed) = 'object' then coalesce((confirmed ->> n.key)::bigint, 0) else 0
                end
        )
    then
        raise exception using errcode = 'PT409', message = 'would_cancel', detail = cancelled::text;
    end if;
end;
$$;

comment on function events.require_confirmation(jsonb, jsonb) is
'Refuse to cancel more bookings or waitlist entries than the caller has confirmed.';
