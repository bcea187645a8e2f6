-- organizations.record_change: record a change of an organization's settings, terms or people.
--
-- `kind` names the object and the fact, such as `room.created`. `before` and `after` are the object's state as JSON:
-- null before for a new object, null after for a deleted one. Of a changed object, only the members that differ are
-- stored. A change of nothing adds no row. The caller of the route is the author; the service has no id.
--
-- The states must not contain names or addresses of people, because an erasure leaves the record: use their ids.
-- Internal: called in the transaction of the change, by routines that have checked the caller. Locks nothing.

create or replace function organizations.record_change(
    organization_id uuid, kind text, subject_id uuid, before jsonb, after jsonb
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    former jsonb := record_change.before;
    latter jsonb := record_change.after;
begin
    if former is not null and latter is not null then
        select
            jsonb_object_agg(m.name, record_change.before -> m.name) filter (where record_change.before ? m.name),
            jsonb_object_agg(m.name, record_change.after -> m.name) filter (where record_change.after ? m.name)
        into former, latter
        from (
            select jsonb_object_keys(record_change.before || record_change.after) as name
        ) as m
        where record_change.before -> m.name is distinct from record_change.after -> m.name;

        if former is null and latter is null then
            return;
        end if;
    end if;

    insert into organizations.changes (organization_id, actor_id, kind, subject_id, before, after)
    values (
        record_change.organization_id,
        case when not ops.caller_is_service() then ops.caller_id() end,
        record_change.kind,
        record_change.subject_id,
        former,
        latter
    );
end;
$$;

comment on function organizations.record_change(uuid, text, uuid, jsonb, jsonb) is
'Record a change of an organization''s settings, terms or people.';
