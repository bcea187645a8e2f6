-- events.search_listings: return a page of public upcoming events, by the rank of their words, then by start.
--
-- The ranks of `q`: the title has all words (1, 2); with category, place, city, instructor and organizer (3, 4); with
-- the description (5, 6). Odd ranks have whole words, and even ranks the last word as a prefix. Without `q` all events
-- have rank 0. `category` includes its subcategories. The next page starts after the last (rank, starts_at, event_id)
-- of this one.
--
-- Events that have started are never returned: a `starts_from` before now is now.
--
-- A rank is read only if the ranks before do not fill the page. If the first rank is expected to have few matches, and
-- all ranks have few, all are read at once (events.rank_few_listings). If the prefix is frequent in descriptions only,
-- the ranks 1 to 4 are read at once. See events.match_listings for the number of rows read.
--
-- Security definer, because row security would prevent text search from using its index: its operator is not leakproof.
-- Therefore it returns only public, scheduled events and their public columns.

create or replace function events.search_listings(
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
    after_rank integer default null,
    after_starts_at timestamptz default null,
    after_id uuid default null,
    most integer default 20
)
returns table (rank integer, listing events.listed_event)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    no_id constant uuid := '00000000-0000-0000-0000-000000000000';
    first_start timestamptz := greatest(search_listings.starts_from, statement_timestamp());
    last_start timestamptz := coalesce(search_listings.starts_before, 'infinity');
    live text := nullif(search_listings.availability, 'unlimited');
    whole tsquery;
    prefixed tsquery;
    everywhere tsquery;
    facets tsquery;
    the_rank integer;
    among_scarce constant boolean := coalesce(live in ('full', 'filling'), false);
    when_few text;
    few_most constant integer := 60;
    few_rank integer;
    rank_read integer := -1;
    has_prefix boolean;
    is_first boolean;
    frequent integer[];
    window_facets tsquery;
    few jsonb;
    starts_after boolean;
    found_ids uuid[];
    event_ids uuid[] := '{}';
    ranks integer[] := '{}';
begin
    if q is not null then
        select t.whole, t.prefixed into whole, prefixed
        from events.search_terms(q) as t;
        if whole is null then
            return;
        end if;
        everywhere := case when whole::text ~ '!' then prefixed end;
        if querytree(whole) = 'T' then
            whole := null;
        end if;
    end if;

    select string_agg(f.lexemes, '&')::tsquery into facets
    from (
        select events.quoted_lexeme(events.facet(v.name, v.value)) as lexemes
        from (
            values
            ('organization', search_listings.organization_id::text),
            ('instructor', search_listings.instructor_id::text),
            ('city', events.umlauts_joined(events.folded(normalize(search_listings.city, nfc)))),
            ('price', price),
            ('limited', case when search_listings.availability = 'unlimited' then 'false' end),
            ('scarce', case when among_scarce then live end)
        ) as v (name, value)
        where v.value is not null
        union all
        select '(' || string_agg(events.quoted_lexeme(events.facet('series', s.id::text)), '|') || ')'
        from unnest(events.series_family(search_listings.series_id)) as s (id)
        where search_listings.series_id is not null
        having count(*) > 0
        union all
        select '(' || string_agg(events.quoted_lexeme(events.facet('category', c.slug)), '|') || ')'
        from (
            with recursive chosen as (
                select search_listings.category as slug
                union
                select c.slug from ref.event_categories as c inner join chosen as p on c.parent_slug = p.slug
            )
            select h.slug from chosen as h
        ) as c
        where search_listings.category is not null
        having count(*) > 0
    ) as f;

    if whole is null and everywhere is null and facets is null and live is null then
        event_ids := array(
            select l.event_id
            from events.listings as l
            where
                l.starts_at >= first_start
                and (l.starts_at, l.event_id) > (coalesce(after_starts_at, first_start), coalesce(after_id, no_id))
                and l.starts_at < last_start
            order by l.starts_at, l.event_id
            limit most
        );
        ranks := array_fill(0, array[cardinality(event_ids)]);
    else
        has_prefix := whole is not null and whole::text <> prefixed::text;
        when_few := case when whole is null then 'ask' else 'return' end;
        <<ranks>>
        foreach the_rank in array case when whole is null then array[0] else array[1, 2, 3, 4, 5, 6] end loop
            continue when the_rank < after_rank or the_rank <= rank_read or (the_rank in (2, 4, 6) and not has_prefix);
            exit when cardinality(event_ids) >= most;
            starts_after := the_rank = after_rank and after_starts_at >= first_start;
            is_first := after_rank is null and event_ids = '{}';
            few := null;
            loop
                if has_prefix and frequent is null and (the_rank > 1 or when_few = 'count') then
                    frequent := events.frequent_prefixes(prefixed, facets, among_scarce, first_start);
                    exit ranks when frequent is null;
                end if;
                if when_few = 'count' then
                    when_few := 'ask';
                    few_rank := case
                        when not has_prefix or 6 <> all (frequent) then 6 when 4 <> all (frequent) then 4 else 0
                    end;
                    if the_rank <= few_rank then
                        window_facets := events.window_facets(first_start, last_start);
                        few := events.rank_few_listings(
                            whole, prefixed, everywhere, coalesce(facets && window_facets, facets, window_facets),
                            among_scarce, few_rank, few_most
                        );
                        exit when few is not null;
                        when_few := 'continue';
                    end if;
                end if;
                found_ids := events.match_listings(
                    facets => facets,
                    words => events.rank_query(the_rank, whole, prefixed, everywhere, is_first),
                    compares => the_rank % 2 = 0 and coalesce(the_rank = any (frequent), false),
                    availability => live,
                    among_scarce => among_scarce,
                    starts_from => case when starts_after then after_starts_at else first_start end,
                    after_id => case when starts_after then search_listings.after_id else no_id end,
                    starts_before => last_start,
                    most => most - cardinality(event_ids),
                    when_few => when_few
                );
                exit when found_ids is not null;
                when_few := 'count';
            end loop;
            when_few := 'ask';
            if few is not null then
                select
                    event_ids || coalesce(array_agg(f.event_id), '{}'),
                    ranks || coalesce(array_agg(f.rank), '{}')
                into event_ids, ranks
                from (
                    select f.event_id, f.rank
                    from jsonb_to_recordset(few) as f (event_id uuid, rank integer, starts_at timestamptz)
                    where
                        f.rank >= the_rank
                        and f.starts_at >= first_start
                        and f.starts_at < last_start
                        and (
                            f.rank is distinct from after_rank
                            or (f.starts_at, f.event_id) > (after_starts_at, search_listings.after_id)
                        )
                        and (
                            live is null
                            or (
                                select events.availability_v2(i.capacity, events.seats_left(i)) = live
                                from events.inventory as i
                                where i.event_id = f.event_id
                            )
                        )
                    order by f.rank, f.starts_at, f.event_id
                    limit most - cardinality(event_ids)
                ) as f;
                rank_read := few_rank;
                continue;
            end if;
            event_ids := event_ids || found_ids;
            ranks := ranks || array_fill(the_rank, array[cardinality(found_ids)]);
        end loop;
    end if;

    return query
    select
        f.rank,
        row(
            l.event_id, l.series_id, l.title, l.category, l.language::text, l.starts_at, l.ends_at, l.time_zone,
            l.price_cents, l.currency::text, l.price_tier, l.organization_id, l.organization_name, l.location_id,
            l.location_name, l.city, l.country::text, l.instructor_id, l.instructor_name, i.capacity::integer,
            events.seats_left(i), events.availability_v2(i.capacity, events.seats_left(i)), i.waitlisted::integer,
            events.open_to_everybody(t), events.waitlist_is_open(t, i)
        )::events.listed_event
    from unnest(event_ids, ranks) as f (event_id, rank)
    inner join events.listings as l on l.event_id = f.event_id
    inner join events.inventory as i on i.event_id = l.event_id
    inner join events.terms as t on t.event_id = l.event_id
    order by f.rank, l.starts_at, l.event_id;
end;
$$;

comment on function events.search_listings(
    text, text, text, uuid, uuid, uuid, text, text, timestamptz, timestamptz, integer, timestamptz, uuid, integer
) is 'Return a page of public upcoming events, by the rank of their words, then by start.';

grant execute on function events.search_listings(
    text, text, text, uuid, uuid, uuid, text, text, timestamptz, timestamptz, integer, timestamptz, uuid, integer
) to app_read;
