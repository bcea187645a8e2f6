-- events.organization_bookings: return a page of an organization's bookings for its staff, the latest event first.
--
-- For front desk, accountants, viewers, editors, admins and owners. `begins_at` is included, `ends_at` is not; they are
-- compared with the event's start. `words` is a part of the customer's name or verified address. `unpaid` selects
-- bookings whose payment is pending, or whose invoice or fee is open. Null filters nothing. Ordered by start of the
-- event, event and booking, descending. Each call is planned for its filters. Records the read in the access log.
--
-- Refuses: 403 forbidden, 404 organization_not_found.

create or replace function events.organization_bookings(
    organization_id uuid,
    event_id uuid default null,
    customer_id uuid default null,
    begins_at timestamptz default null,
    ends_at timestamptz default null,
    statuses text[] default null,
    methods text[] default null,
    unpaid boolean default null,
    words text default null,
    after_starts_at timestamptz default null,
    after_event_id uuid default null,
    after_id uuid default null,
    most integer default 100
)
returns table (
    id uuid,
    listed_organization_id uuid,
    listed_event_id uuid,
    event_title text,
    starts_at timestamptz,
    time_zone text,
    event_status text,
    listed_customer_id uuid,
    name text,
    email text,
    seats integer,
    guest boolean,
    status text,
    payment_method text,
    price_cents bigint,
    fee_cents bigint,
    currency text,
    is_unpaid boolean,
    created_at timestamptz,
    cancelled_at timestamptz
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan'
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        organization_bookings.organization_id, 'front_desk', 'accountant', 'viewer', 'editor', 'admin', 'owner'
    );
begin
    return query
    with page as materialized (
        select
            b.id, t.starts_at, b.event_id, b.customer_id, p.name, users.verified_address(p) as email,
            b.seats::integer as seats, b.guest, b.status::text as status, b.payment_method::text as payment_method,
            b.price_cents::bigint as price_cents, b.fee_cents::bigint as fee_cents, b.currency::text as currency,
            events.is_unpaid(b) as is_unpaid, b.created_at, b.cancelled_at
        from events.terms as t
        inner join events.bookings as b on b.event_id = t.event_id
        inner join users.profiles as p on p.id = b.customer_id
        where
            t.organization_id = the_organization.id
            and (organization_bookings.event_id is null or t.event_id = organization_bookings.event_id)
            and (organization_bookings.customer_id is null or b.customer_id = organization_bookings.customer_id)
            and (organization_bookings.begins_at is null or t.starts_at >= organization_bookings.begins_at)
            and (organization_bookings.ends_at is null or t.starts_at < organization_bookings.ends_at)
            and (organization_bookings.statuses is null or b.status::text = any (organization_bookings.statuses))
            and (organization_bookings.methods is null or b.payment_method::text = any (organization_bookings.methods))
            and (organization_bookings.unpaid is null or events.is_unpaid(b) = organization_bookings.unpaid)
            and (
                organization_bookings.words is null
                or position(lower(organization_bookings.words) in lower(p.name)) > 0
                or position(lower(organization_bookings.words) in lower(users.verified_address(p))) > 0
            )
            and (
                organization_bookings.after_id is null
                or (
                    t.starts_at <= organization_bookings.after_starts_at
                    and (t.starts_at, b.event_id, b.id) < (
                        organization_bookings.after_starts_at, organization_bookings.after_event_id,
                        organization_bookings.after_id
                    )
                )
            )
        order by t.starts_at desc, b.event_id desc, b.id desc
        limit least(organization_bookings.most, 10001)
    ),

    recorded as materialized (
        select ops.add_accesses(
            operation => 'organization_bookings',
            read => (
                select jsonb_agg(jsonb_build_object(
                    'organization_id', the_organization.id, 'person', g.customer_id, 'rows', 1
                ))
                from page as g
            )
        )
    )

    select
        g.id, the_organization.id, g.event_id, e.title, g.starts_at, e.time_zone, e.status::text, g.customer_id, g.name,
        g.email, g.seats, g.guest, g.status, g.payment_method, g.price_cents, g.fee_cents, g.currency, g.is_unpaid,
        g.created_at, g.cancelled_at
    from page as g
    cross join recorded as r
    inner join events.events as e on e.id = g.event_id and e.starts_at = g.starts_at
    order by g.starts_at desc, g.event_id desc, g.id desc;
end;
$$;

comment on function events.organization_bookings(
    uuid, uuid, uuid, timestamptz, timestamptz, text[], text[], boolean, text, timestamptz, uuid, uuid, integer
) is
'Return a page of an organization''s bookings for its staff, the latest event first.';

grant execute on function events.organization_bookings(
    uuid, uuid, uuid, timestamptz, timestamptz, text[], text[], boolean, text, timestamptz, uuid, uuid, integer
) to authenticated, service_role;
