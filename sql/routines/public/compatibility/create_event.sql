-- public.create_event: create a single event, under the name that clients of the earlier system call.
--
-- The default is the organization that the caller acts for. Returns the event's id; see events.create_event.
--
-- Refuses: the same as events.create_event.

create or replace function public.create_event(
    title text,
    starts_at timestamptz,
    ends_at timestamptz,
    capacity integer default null,
    price_cents bigint default 0,
    description text default null,
    organization_id uuid default null
)
returns uuid
language sql
security invoker
set search_path = pg_catalog, pg_temp
as $$
    select (
        events.create_event(
            jsonb_build_object(
                'organization_id', coalesce(create_event.organization_id, public.current_org_id()),
                'title', create_event.title,
                'description', create_event.description,
                'starts_at', create_event.starts_at,
                'ends_at', create_event.ends_at,
                'capacity', create_event.capacity,
                'price_cents', create_event.price_cents
            )
        ) ->> 'id'
    )::uuid;
$$;

comment on function public.create_event(text, timestamptz, timestamptz, integer, bigint, text, uuid) is
'Create a single event, under the name that clients of the earlier system call.';

grant execute on function public.create_event(text, timestamptz, timestamptz, integer, bigint, text, uuid)
to authenticated, service_role;
