-- events.enforce_occupancies: start or stop refusing double bookings of an organization.
--
-- Called by organizations.update_organization, which has checked the caller. Past events stay as they are. Locks the
-- organization's occupancies.
--
-- Refuses: 409 double_booked, with at most 20 conflicts, while upcoming events have a conflict.

create or replace function events.enforce_occupancies(organization_id uuid, enforced boolean)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    conflicts jsonb;
begin
    perform events.lock_occupancies(array[enforce_occupancies.organization_id]);

    if enforce_occupancies.enforced then
        select jsonb_agg(to_jsonb(d)) into conflicts
        from events.double_bookings(enforce_occupancies.organization_id, 20) as d;

        if conflicts is not null then
            raise exception using errcode = 'PT409', message = 'double_booked',
                detail = jsonb_build_object('conflicts', conflicts)::text;
        end if;
    end if;

    update events.occupancies as o
    set enforced = enforce_occupancies.enforced
    where
        o.organization_id = enforce_occupancies.organization_id
        and o.ends_at > statement_timestamp()
        and o.enforced <> enforce_occupancies.enforced;
end;
$$;

comment on function events.enforce_occupancies(uuid, boolean) is
'Start or stop refusing double bookings of an organization.';
