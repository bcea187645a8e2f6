-- events.changed_fields: return the names of the fields of an event that differ and of which somebody is notified.

create or replace function events.changed_fields(earlier events.events, later events.events)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(n.field order by n.field), '{}')
    from events.field_notices() as n
    where
        (n.customers or n.instructors)
        and to_jsonb(changed_fields.earlier) -> n.field is distinct from to_jsonb(changed_fields.later) -> n.field;
$$;

comment on function events.changed_fields(events.events, events.events) is
'Return the names of the fields of an event that differ and of which somebody is notified.';
