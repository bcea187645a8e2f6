-- events.match_listings: return the first events by start whose listings match words and facets, in one rank.
--
-- `rank` chooses the column of the words and the query, `whole` words or the last one as a prefix (`prefixed`); see
-- events.search_listings. Matches of the ranks before are left out. `everywhere` applies to all words of the event,
-- because of excluded words.
--
-- Reads a bounded number of rows, whatever the filters are: one block of time after another. A block is a facet, and
-- the index intersects it with words and facets. A block with too many matches is split in four, and after one with few
-- the next is longer. So a block costs at most `rows_most` rows, except the shortest one of an hour. If few matches are
-- to be expected in all, the index is asked once without times.
--
-- The seats of a match are read from the inventory, in order of the start, until the page is full. Events that may be
-- full or filling have an index of their own. It is read instead, where a block has many matches and few of them.
--
-- Sequential scans are off, because the planner cannot estimate how filters depend on each other.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.match_listings(
    rank integer,
    whole tsquery,
    prefixed tsquery,
    everywhere tsquery,
    facets tsquery,
    availability text,
    starts_from timestamptz,
    after_id uuid,
    starts_before timestamptz,
    most integer
)
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    rows_most constant integer := 120;
    scarce_most constant integer := 20;
    places constant text[] := array['title_words', 'name_words', 'words'];
    place constant text := places[(match_listings.rank + 1) / 2];
    place_before constant text := places[(match_listings.rank - 1) / 2];
    is_prefix constant boolean := match_listings.rank > 0 and match_listings.rank % 2 = 0;
    words constant tsquery := case when is_prefix then prefixed else whole end;
    bits_min constant integer := 12;
    bits_max integer := 26;
    bits integer := 16;
    small_blocks integer := 0;
    are_many boolean := false;
    kind constant text := case match_listings.availability
        when 'full' then 's.scarcity & 2 = 2' when 'filling' then 's.scarcity & 1 = 1'
    end;
    last_start timestamptz := (select max(l.starts_at) from events.listings as l);
    moment timestamptz := match_listings.starts_from;
    block_end timestamptz;
    block tsquery;
    scarce bigint;
    statement text;
    indexed_rows text;
    scarce_rows text;
    conditions text := '%s';
    matched bigint;
    blocks_left numeric;
    page uuid[];
    event_ids uuid[] := '{}';
    was_asked boolean := match_listings.whole is null and facets is null;
begin
    if words is not null then
        conditions := conditions || format(' and l.%I @@ $2', place);
    end if;
    indexed_rows := 'events.listings as l where ' || conditions;
    scarce_rows := format(
        '(
            select s.event_id from events.scarce_listings as s
            where s.starts_at >= $11 and s.starts_at < least($5, $12) and %s
        ) as s
        cross join lateral (select l.* from events.listings as l where l.event_id = s.event_id offset 0) as l
        where %s',
        coalesce(kind, 'true'), conditions
    );
    statement := format(
        $query$
        with matched as materialized (
            select l.event_id, l.starts_at, l.title_words, l.name_words %s
            from %%s
            limit $8
        ),
        scarce as materialized (
            select s.event_id from events.scarce_listings as s
            where s.starts_at >= $11 and s.starts_at < least($5, $12) and %s
        )
        select
            (select count(*) from matched),
            array(
                select l.event_id
                from (
                    select l.event_id
                    from matched as l
                    where
                        ($8 is null or (select count(*) from matched) < $8)
                        and (l.starts_at, l.event_id) > ($3, $4)
                        and l.starts_at >= $11
                        and l.starts_at < $5
                        %s
                    order by l.starts_at, l.event_id
                    offset 0
                ) as l
                %s
                limit $9
            )
        $query$,
        case when everywhere is not null or place = 'words' and is_prefix then ', l.words' end,
        coalesce(kind, 'true'),
        concat(
            case when everywhere is not null then ' and l.words @@ $10' end,
            case when place_before is not null then format(' and not l.%I @@ $6', place_before) end,
            case when whole is not null and is_prefix then format(' and not l.%I @@ $13', place) end,
            case when kind is not null then ' and l.event_id in (select s.event_id from scarce as s)' end
        ),
        case
            when match_listings.availability is not null then '
                where (
                    select events.availability_v2(i.capacity, events.seats_left(i)) = $7
                    from events.inventory as i
                    where i.event_id = l.event_id
                )'
        end
    );

    while moment <= last_start and moment < starts_before and cardinality(event_ids) < most loop
        block_end := to_timestamp(((events.time_block(moment, bits) + 1) << bits)::double precision);
        if are_many then
            execute format(
                'select count(*)
                from (
                    select from events.scarce_listings as s
                    where s.starts_at >= $1 and s.starts_at < least($2, $3) and %s
                    limit $4
                ) as s',
                kind
            )
            into scarce
            using moment, starts_before, block_end, scarce_most + 1;

            if scarce <= scarce_most then
                execute format(
                    statement, format(scarce_rows, case when facets is null then 'true' else 'l.facets @@ $1' end)
                )
                into matched, page
                using
                    facets, words, match_listings.starts_from, after_id, starts_before, prefixed,
                    match_listings.availability, null::integer, most - cardinality(event_ids), everywhere, moment,
                    block_end, whole;
                event_ids := event_ids || page;
                moment := block_end;
                if scarce * 4 < scarce_most then
                    bits := least(bits + 2, 26);
                end if;
                continue;
            end if;
        end if;

        block := events.quoted_lexeme(events.facet(bits::text, events.time_block(moment, bits)::text))::tsquery;
        execute format(statement, format(indexed_rows, 'l.facets @@ $1'))
        into matched, page
        using
            coalesce(facets && block, block), words, match_listings.starts_from, after_id, starts_before,
            prefixed, match_listings.availability, case when bits > bits_min then rows_most + 1 end,
            most - cardinality(event_ids), everywhere, moment, block_end, whole;
        if matched > rows_most and bits > bits_min then
            if kind is not null and not are_many then
                are_many := true;
                continue;
            end if;
            bits := bits - 2;
            bits_max := bits;
            small_blocks := 0;
            continue;
        end if;
        are_many := false;
        event_ids := event_ids || page;
        moment := block_end;

        blocks_left := extract(epoch from least(last_start, starts_before) - moment) / (1::bigint << bits);
        if
            matched * blocks_left <= rows_most
            and (kind is null or bits >= 20)
            and not was_asked
            and cardinality(event_ids) < most
        then
            was_asked := true;
            execute format(
                statement, format(indexed_rows, case when facets is null then 'true' else 'l.facets @@ $1' end)
            )
            into matched, page
            using
                facets, words, match_listings.starts_from, after_id, starts_before, prefixed,
                match_listings.availability, rows_most + 1, most - cardinality(event_ids), everywhere, moment,
                'infinity'::timestamptz, whole;
            if matched <= rows_most then
                return event_ids || page;
            end if;
        end if;

        if matched * 4 < rows_most then
            small_blocks := small_blocks + 1;
            if small_blocks % 4 = 0 then
                bits_max := least(bits_max + 2, 26);
            end if;
            bits := least(bits + case when matched * 16 < rows_most then 4 else 2 end, bits_max);
        end if;
    end loop;
    return event_ids;
end;
$$;

comment on function events.match_listings(
    integer, tsquery, tsquery, tsquery, tsquery, text, timestamptz, uuid, timestamptz, integer
) is 'Return the first events by start whose listings match words and facets, in one rank.';
