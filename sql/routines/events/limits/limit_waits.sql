-- events.limit_waits: refuse another waitlist entry of a person who has the maximum number.
--
-- Counts entries that wait or have an offer, at one organization's events and in total. The total applies only to the
-- person's own requests, because a refusal would reveal entries at other organizations to staff. The caller holds the
-- person's lock (events.lock_person). Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 409 too_many_waits.

create or replace function events.limit_waits(organization_id uuid, customer_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    waits integer;
    waits_here integer;
    waits_max integer := ops.limit_value('waits_per_person');
    waits_here_max integer := ops.limit_value('waits_per_person_and_organization');
begin
    select count(*), count(*) filter (where t.organization_id = limit_waits.organization_id)
    into waits, waits_here
    from events.waitlist_entries as w
    inner join events.terms as t on t.event_id = w.event_id
    where w.customer_id = limit_waits.customer_id and w.status in ('waiting', 'offered');

    if waits_here >= waits_here_max then
        raise exception using errcode = 'PT409', message = 'too_many_waits',
            detail = jsonb_build_object('waits', waits_here, 'waits_max', waits_here_max)::text;
    end if;
    if waits >= waits_max and limit_waits.customer_id = ops.caller_id() then
        raise exception using errcode = 'PT409', message = 'too_many_waits',
            detail = jsonb_build_object('waits', waits, 'waits_max', waits_max)::text;
    end if;
end;
$$;

comment on function events.limit_waits(uuid, uuid) is
'Refuse another waitlist entry of a person who has the maximum number.';
