-- organizations.limit_walk_ins: refuse more walk-ins than an organization may enter in 24 hours.
--
-- Runs under the lock of organizations.lock_walk_ins, without which two requests could both pass. Internal.
--
-- Refuses: 409 too_many_walk_ins.

create or replace function organizations.limit_walk_ins(organization_id uuid, number integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    walk_ins_max integer := ops.limit_value('walk_ins_per_day');
begin
    if walk_ins_max < limit_walk_ins.number + (
        select count(*)
        from organizations.customers as c
        where
            c.organization_id = limit_walk_ins.organization_id
            and c.walk_in
            and c.created_at > statement_timestamp() - interval '24 hours'
    ) then
        raise exception using errcode = 'PT409', message = 'too_many_walk_ins',
            detail = jsonb_build_object('most', walk_ins_max)::text;
    end if;
end;
$$;

comment on function organizations.limit_walk_ins(uuid, integer) is
'Refuse more walk-ins than an organization may enter in 24 hours.';
