-- messaging.audience: who is to be told of something, in which language, and the facts to tell them.
--
-- A message that names a customer is for them. That an event was cancelled is for who leads it: its customers get a
-- message each. That an endpoint of webhooks was switched off is for its organization's admins. Alerts are for those
-- who watch the system. Nobody who was erased is told anything.
-- The event's partition is known from its terms, so that no other is looked at.

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
    select p.id, p.email, p.name, p.language::text, f.organization_id, f.facts
    from (
        select
            coalesce((audience.payload ->> 'customer_id')::uuid, i.user_id) as person_id,
            o.id as organization_id,
            jsonb_build_object(
                'organization', o.name, 'title', e.title, 'starts_at', e.starts_at, 'ends_at', e.ends_at,
                'time_zone', coalesce(e.time_zone, o.time_zone),
                'place', nullif(concat_ws(', ', l.name, l.address, l.city), '')
            ) as facts
        from (select) as nobody
        left join events.events as e
            on
                e.id = (audience.payload ->> 'event_id')::uuid
                and e.starts_at = (
                    select t.starts_at
                    from events.terms as t
                    where t.event_id = (audience.payload ->> 'event_id')::uuid
                )
        left join organizations.organizations as o
            on o.id = coalesce((audience.payload ->> 'organization_id')::uuid, e.organization_id)
        left join organizations.locations as l on l.id = e.location_id
        left join organizations.instructors as i on i.id = e.instructor_id
    ) as f
    inner join users.profiles as p on p.id = f.person_id
    where audience.topic not like 'alert.%' and p.erased_at is null

    union all

    select
        p.id, p.email, p.name, p.language::text, o.id,
        jsonb_build_object('organization', o.name, 'title', audience.payload ->> 'url')
    from organizations.organizations as o
    inner join organizations.memberships as m on m.organization_id = o.id and m.role in ('admin', 'owner')
    inner join users.profiles as p on p.id = m.user_id
    where
        audience.topic like 'webhook_endpoint.%'
        and o.id = (audience.payload ->> 'organization_id')::uuid
        and p.erased_at is null

    union all

    select null, r.email, null, 'en', null, '{}'
    from ops.alert_recipients as r
    where
        audience.topic like 'alert.%'
        and (r.severity_least = 'warning' or audience.payload ->> 'severity' = 'critical');
$$;

comment on function messaging.audience(text, jsonb) is 'Who is to be told of something, and the facts to tell them.';

grant execute on function messaging.audience(text, jsonb) to service_role;
