-- events.write_listings: write the listings of events as the events and their names are.
--
-- The caller has locked the existing listings in the order of their ids. Deletes the listing of an event that is not
-- public and scheduled, or has no inventory. A listing without a change is not written. Idempotent.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.write_listings(event_ids uuid[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from events.listings as l
    where
        l.event_id = any (write_listings.event_ids)
        and not exists (
            select
            from events.terms as t
            inner join events.inventory as i on i.event_id = t.event_id
            where t.event_id = l.event_id and t.visibility = 'public' and t.status = 'scheduled'
        );

    insert into events.listings as l (
        event_id, starts_at, ends_at, organization_id, series_id, location_id, instructor_id, title, category, language,
        time_zone, price_cents, currency, price_tier, organization_name, location_name, city, country, instructor_name,
        lexemes
    )
    select
        e.id, e.starts_at, e.ends_at, e.organization_id, e.series_id, e.location_id, e.instructor_id, e.title,
        e.category, e.language, e.time_zone, e.price_cents, e.currency, f.price_tier,
        o.name, p.name, p.city, p.country, n.name,
        array_to_tsvector(
            array_remove(
                array[
                    events.facet('organization', e.organization_id::text),
                    events.facet('series', e.series_id::text),
                    events.facet('instructor', e.instructor_id::text),
                    events.facet('category', e.category),
                    events.facet('city', events.umlauts_joined(events.folded(p.city))),
                    events.facet('price', f.price_tier),
                    events.facet('limited', (i.capacity is not null)::text)
                ]
                || array(
                    select events.facet(b.bits::text, events.time_block(e.starts_at, b.bits)::text)
                    from generate_series(12, 26, 2) as b (bits)
                ),
                null
            )
        )
        || w.title_words || w.names || w.description_words
        || events.tagged_words('t', w.title_words)
        || events.tagged_words('n', w.title_words || w.names)
    from events.terms as t
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    inner join events.inventory as i on i.event_id = e.id
    inner join organizations.organizations as o on o.id = e.organization_id
    inner join ref.currencies as c on c.code = e.currency
    left join organizations.locations as p on p.id = e.location_id
    left join organizations.instructors as n on n.id = e.instructor_id
    cross join lateral (
        select
            events.text_words(e.search_config, e.title) as title_words,
            events.text_words(e.search_config, e.category)
            || events.text_words(e.search_config, p.name)
            || events.text_words(e.search_config, p.city)
            || events.text_words(e.search_config, n.name)
            || events.text_words(e.search_config, o.name) as names,
            events.text_words(e.search_config, left(e.description, 5000)) as description_words
        -- Evaluate the words once.
        offset 0
    ) as w
    cross join lateral (select events.price_tier(e.price_cents, c.decimal_places) as price_tier) as f
    where
        t.event_id = any (write_listings.event_ids)
        and e.visibility = 'public'
        and e.status = 'scheduled'
    order by e.id
    on conflict (event_id) do update
    set
        starts_at = excluded.starts_at,
        ends_at = excluded.ends_at,
        organization_id = excluded.organization_id,
        series_id = excluded.series_id,
        location_id = excluded.location_id,
        instructor_id = excluded.instructor_id,
        title = excluded.title,
        category = excluded.category,
        language = excluded.language,
        time_zone = excluded.time_zone,
        price_cents = excluded.price_cents,
        currency = excluded.currency,
        price_tier = excluded.price_tier,
        organization_name = excluded.organization_name,
        location_name = excluded.location_name,
        city = excluded.city,
        country = excluded.country,
        instructor_name = excluded.instructor_name,
        lexemes = excluded.lexemes
    where
        (
            l.starts_at, l.ends_at, l.organization_id, l.series_id, l.location_id, l.instructor_id, l.title, l.category,
            l.language, l.time_zone, l.price_cents, l.currency, l.price_tier, l.organization_name,
            l.location_name, l.city, l.country, l.instructor_name, l.lexemes
        ) is distinct from (
            excluded.starts_at, excluded.ends_at, excluded.organization_id, excluded.series_id, excluded.location_id,
            excluded.instructor_id, excluded.title, excluded.category, excluded.language, excluded.time_zone,
            excluded.price_cents, excluded.currency, excluded.price_tier, excluded.organization_name,
            excluded.location_name, excluded.city, excluded.country, excluded.instructor_name, excluded.lexemes
        );

    delete from events.scarce_listings as s
    where
        s.event_id = any (write_listings.event_ids)
        and not exists (select from events.listings as l where l.event_id = s.event_id);

    insert into events.scarce_listings as s (event_id, starts_at, scarcity, lexemes)
    select l.event_id, l.starts_at, f.scarcity, l.lexemes || events.scarcity_facets(f.scarcity)
    from events.listings as l
    inner join events.inventory as i on i.event_id = l.event_id
    cross join lateral (select events.scarcity(i.capacity, i.taken, i.held, i.waitlisted) as scarcity) as f
    where l.event_id = any (write_listings.event_ids) and f.scarcity > 0
    order by l.event_id
    on conflict (event_id) do update
    set
        starts_at = excluded.starts_at,
        lexemes = excluded.lexemes || events.scarcity_facets(s.scarcity)
    where (s.starts_at, s.lexemes) is distinct from (excluded.starts_at, excluded.lexemes);
end;
$$;

comment on function events.write_listings(uuid[]) is
'Write the listings of events as the events and their names are. The caller has locked the listings.';
