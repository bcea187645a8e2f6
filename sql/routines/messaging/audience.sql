-- messaging.audience: who is to be told of something, in which language, and the facts to tell them.
--
-- A message that names a customer is for them. That an event was cancelled is for who leads it: its customers get a
-- message each. Alerts are for those who watch the system. Nobody who was erased is told anything.

create or replace function messaging.audience(topic text, payload jsonb)
returns table (
    user_id uuid,
    email text,
    name text,
    language text,
    organization_id uuid,
    facts jsonb
)
language sql
stable
security definer
set search_path = ''
as $$
    select
        p.id,
        p.email,
        p.name,
        p.language::text,
        o.id,
        jsonb_build_object(
            'organization', o.name, 'title', e.title, 'starts_at', e.starts_at, 'ends_at', e.ends_at,
            'time_zone', coalesce(e.time_zone, o.time_zone),
            'place', nullif(concat_ws(', ', l.name, l.address, l.city), ''),
            'decimal_places', c.decimal_places
        )
    from users.profiles as p
    left join events.terms as t on t.event_id = (audience.payload ->> 'event_id')::uuid
    left join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    left join organizations.organizations as o
        on o.id = coalesce((audience.payload ->> 'organization_id')::uuid, e.organization_id)
    left join organizations.locations as l on l.id = e.location_id
    left join organizations.instructors as i on i.id = e.instructor_id
    left join ref.currencies as c on c.code = audience.payload ->> 'currency'
    where
        audience.topic not like 'alert.%'
        and p.erased_at is null
        and p.id = case
            when audience.payload ? 'customer_id' then (audience.payload ->> 'customer_id')::uuid
            else i.user_id
        end

    union all

    select null, r.email, null, 'en', null, '{}'
    from ops.alert_recipients as r
    where
        audience.topic like 'alert.%'
        and (r.severity_least = 'warning' or audience.payload ->> 'severity' = 'critical');
$$;

comment on function messaging.audience(text, jsonb) is 'Who is to be told of something, and the facts to tell them.';

grant execute on function messaging.audience(text, jsonb) to service_role;
