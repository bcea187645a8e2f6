-- events.search_events: return a page of public upcoming events, ordered by start.
--
-- The words of `q` are stemmed by the rules of every language, and a match in any language counts. So plain words find
-- events in all languages. Excluded words (-word) follow the event's own language. `category` includes its
-- subcategories. The next page starts after the last (starts_at, id) of this one.
--
-- The statement is built from the given filters and planned for their values. So it reads only the partitions of the
-- time window, and each filter can use its index. One plan for all filters could do neither. Its text consists of
-- literals from this file only. `coalesce` hides conditions that the planner cannot estimate. Otherwise it expects few
-- matches, and no longer reads in index order.
--
-- Security definer, because row security would prevent text search from using its index: its operator is not leakproof.
-- Therefore it returns only public, scheduled events and their public columns.

create or replace function events.search_events(
    q text default null,
    city text default null,
    category text default null,
    organization_id uuid default null,
    series_id uuid default null,
    instructor_id uuid default null,
    availability text default null,
    price text default null,
    starts_from timestamptz default null,
    starts_before timestamptz default null,
    after_starts_at timestamptz default null,
    after_id uuid default null,
    most integer default 20
)
returns setof events.event_listing
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    first_start timestamptz := greatest(coalesce(search_events.starts_from, statement_timestamp()), after_starts_at);
    words tsquery;
    configs regconfig[];
    words_by_config tsquery[];
    categories text[];
    location_ids uuid[];
    series_ids uuid[];
    the_organization_id uuid := search_events.organization_id;
    sources text := 'events.events as e';
    conditions text := 'e.visibility = ''public'' and e.status = ''scheduled'' and e.starts_at >= $1';
begin
    if starts_before is not null then
        conditions := conditions || ' and e.starts_at < $2';
    end if;
    if after_id is not null then
        conditions := conditions || ' and (e.starts_at, e.id) > ($3, $4)';
    end if;

    if q is not null then
        words := events.search_query(q);
        conditions := conditions || ' and e.search @@ $5';
        if q ~ '(^|\s)-\S' then
            select array_agg(l.search_config), array_agg(websearch_to_tsquery(l.search_config, q))
            into configs, words_by_config
            from (select distinct l.search_config from ref.languages as l) as l;
            conditions := conditions || ' and coalesce(e.search @@ ($15)[array_position($6, e.search_config)], false)';
        end if;
    end if;

    if search_events.category is not null then
        with recursive chosen as (
            select c.slug from ref.event_categories as c where c.slug = search_events.category
            union
            select c.slug from ref.event_categories as c inner join chosen as p on c.parent_slug = p.slug
        )
        select array_agg(c.slug) into categories from chosen as c;
        conditions := conditions || ' and e.category = any ($7)';
    end if;

    if search_events.city is not null then
        location_ids := array(
            select l.id from organizations.locations as l where lower(l.city) = lower(search_events.city)
        );
        conditions := conditions || ' and e.location_id = any ($8)';
    end if;

    if search_events.instructor_id is not null then
        the_organization_id := (
            select i.organization_id
            from organizations.instructors as i
            where
                i.id = search_events.instructor_id
                and i.organization_id = coalesce(the_organization_id, i.organization_id)
        );
        conditions := conditions || ' and e.instructor_id = $10 and e.organization_id = $9';
    elsif the_organization_id is not null then
        conditions := conditions || ' and e.organization_id = $9';
    end if;

    if search_events.series_id is not null then
        series_ids := events.series_family(search_events.series_id);
        conditions := conditions
            || case when cardinality(series_ids) > 1 then ' and e.series_id = any ($11)' else ' and e.series_id = ($11)[1]' end;
    end if;

    if search_events.availability is not null then
        sources := sources || ' inner join events.inventory as n on n.event_id = e.id';
        conditions := conditions || ' and coalesce(events.availability(n.capacity, events.seats_left(n)) = $12, false)';
    end if;

    if price is not null then
        sources := sources || ' inner join ref.currencies as m on m.code = e.currency';
        conditions := conditions || ' and coalesce(events.price_tier(e.price_cents, m.decimal_places) = $13, false)';
    end if;

    return query execute format(
        $query$
        select
            e.id, e.series_id, e.title, e.category, e.language::text, e.starts_at, e.ends_at, e.time_zone,
            e.price_cents, e.currency::text, events.price_tier(e.price_cents, c.decimal_places), e.organization_id,
            o.name, e.location_id, l.name, l.city, l.country::text, e.instructor_id, p.name, i.capacity::integer,
            events.seats_left(i), events.availability(i.capacity, events.seats_left(i)),
            i.waitlisted::integer, events.open_to_everybody(t), events.waitlist_is_open(t, i)
        from (
            select
                e.id, e.series_id, e.title, e.category, e.language, e.starts_at, e.ends_at, e.time_zone, e.price_cents,
                e.currency, e.organization_id, e.location_id, e.instructor_id
            from %s
            where %s
            order by e.starts_at, e.id
            limit $14
        ) as e
        inner join events.inventory as i on i.event_id = e.id
        inner join events.terms as t on t.event_id = e.id
        inner join organizations.organizations as o on o.id = e.organization_id
        inner join ref.currencies as c on c.code = e.currency
        left join organizations.locations as l on l.id = e.location_id
        left join organizations.instructors as p on p.id = e.instructor_id
        order by e.starts_at, e.id
        $query$,
        sources, conditions
    )
    using
        first_start, starts_before, after_starts_at, after_id, words, configs, categories, location_ids,
        the_organization_id, search_events.instructor_id, series_ids, search_events.availability, price,
        most, words_by_config;
end;
$$;

comment on function events.search_events(
    text, text, text, uuid, uuid, uuid, text, text, timestamptz, timestamptz, timestamptz, uuid, integer
) is 'Return a page of public upcoming events, by words, place, time, free seats, price and instructor.';

grant execute on function events.search_events(
    text, text, text, uuid, uuid, uuid, text, text, timestamptz, timestamptz, timestamptz, uuid, integer
) to app_read;
