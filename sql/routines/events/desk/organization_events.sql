-- events.organization_events: return a page of an organization's events for its members, with drafts and private ones.
--
-- Ordered by start and id, from the earliest or, with `newest_first`, from the latest. `begins_at` is included,
-- `ends_at` is not; they are compared with the start. `words` is a part of the title. Null filters nothing. The cost
-- depends on the events between the times. Each call is planned for its filters.
--
-- Refuses: 403 forbidden, 404 organization_not_found.

create or replace function events.organization_events(
    organization_id uuid,
    begins_at timestamptz default null,
    ends_at timestamptz default null,
    statuses text[] default null,
    visibility text default null,
    location_id uuid default null,
    instructor_id uuid default null,
    series_id uuid default null,
    words text default null,
    newest_first boolean default false,
    after_starts_at timestamptz default null,
    after_id uuid default null,
    most integer default 100
)
returns table (
    id uuid,
    listed_organization_id uuid,
    listed_series_id uuid,
    title text,
    category text,
    starts_at timestamptz,
    listed_ends_at timestamptz,
    time_zone text,
    status text,
    listed_visibility text,
    price_cents bigint,
    currency text,
    listed_location_id uuid,
    location_name text,
    listed_instructor_id uuid,
    instructor_name text,
    capacity integer,
    taken integer,
    held integer,
    waitlisted integer,
    seats_left integer
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan'
as $$
begin
    perform events.require_organization(
        organization_events.organization_id, variadic enum_range(null::organizations.member_role)
    );

    return query
    select
        e.id, e.organization_id, e.series_id, e.title, e.category, e.starts_at, e.ends_at, e.time_zone, e.status::text,
        e.visibility::text, e.price_cents, e.currency::text, e.location_id, l.name, e.instructor_id, p.name,
        i.capacity::integer, i.taken::integer, i.held::integer, i.waitlisted::integer, events.seats_left(i)
    from (
        select f.*
        from events.events as f
        where
            f.organization_id = organization_events.organization_id
            and (organization_events.begins_at is null or f.starts_at >= organization_events.begins_at)
            and (organization_events.ends_at is null or f.starts_at < organization_events.ends_at)
            and (organization_events.statuses is null or f.status::text = any (organization_events.statuses))
            and (organization_events.visibility is null or f.visibility::text = organization_events.visibility)
            and (organization_events.location_id is null or f.location_id = organization_events.location_id)
            and (organization_events.instructor_id is null or f.instructor_id = organization_events.instructor_id)
            and (organization_events.series_id is null or f.series_id = organization_events.series_id)
            and (
                organization_events.words is null
                or position(lower(organization_events.words) in lower(f.title)) > 0
            )
            and (
                organization_events.after_id is null
                or case
                    when organization_events.newest_first
                    then f.starts_at <= organization_events.after_starts_at
                        and (f.starts_at, f.id) < (organization_events.after_starts_at, organization_events.after_id)
                    else f.starts_at >= organization_events.after_starts_at
                        and (f.starts_at, f.id) > (organization_events.after_starts_at, organization_events.after_id)
                end
            )
        order by
            case when organization_events.newest_first then f.starts_at end desc,
            case when organization_events.newest_first then f.id end desc,
            f.starts_at,
            f.id
        limit least(organization_events.most, 10001)
    ) as e
    inner join events.inventory as i on i.event_id = e.id
    left join organizations.locations as l on l.id = e.location_id
    left join organizations.instructors as p on p.id = e.instructor_id
    order by
        case when organization_events.newest_first then e.starts_at end desc,
        case when organization_events.newest_first then e.id end desc,
        e.starts_at,
        e.id;
end;
$$;

comment on function events.organization_events(
    uuid, timestamptz, timestamptz, text[], text, uuid, uuid, uuid, text, boolean, timestamptz, uuid, integer
) is
'Return a page of an organization''s events for its members, with drafts and private ones.';

grant execute on function events.organization_events(
    uuid, timestamptz, timestamptz, text[], text, uuid, uuid, uuid, text, boolean, timestamptz, uuid, integer
) to authenticated, service_role;
