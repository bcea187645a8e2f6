-- events.refuse_repeated_hold: refuse to hold seats of an event too soon after unused seats of the same person.
--
-- See events.hold_again_at. Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 409 hold_again_later.

create or replace function events.refuse_repeated_hold(event_id uuid, customer_id uuid, purpose events.hold_purpose)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    again_at timestamptz := events.hold_again_at(
        refuse_repeated_hold.event_id, refuse_repeated_hold.customer_id, refuse_repeated_hold.purpose
    );
begin
    if again_at > statement_timestamp() then
        raise exception using errcode = 'PT409', message = 'hold_again_later',
            detail = jsonb_build_object(
                'again_at', again_at,
                'retry_after_seconds', ceil(extract(epoch from again_at - statement_timestamp()))
            )::text;
    end if;
end;
$$;

comment on function events.refuse_repeated_hold(uuid, uuid, events.hold_purpose) is
'Refuse to hold seats of an event too soon after unused seats of the same person.';
