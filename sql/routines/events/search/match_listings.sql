-- events.match_listings: return the first events by start whose listings match facets and words.
--
-- `words` excludes the matches of other ranks, so each row that the index returns is a match.
--
-- Reads a bounded number of rows, whatever the filters are: one block of time after another. A block is a facet, and
-- the index intersects it with the query. A block with too many rows is split in four, and after one with few the next
-- is longer. So a block costs at most `rows_most` rows, except the shortest one of an hour. If few matches are to be
-- expected in all, `when_few` decides: `ask` asks the index once without times, `return` returns null, and `continue`
-- reads block after block.
--
-- The index finds a prefix by collecting the rows of all its words, in each block again. So with `compares`, the rows
-- of a block are read by the facets alone and compared with the words, as long as a tenth of the rows fit
-- (events.frequent_prefixes).
--
-- Without a listing nothing is read. Otherwise the last start is finite, also for an infinite `starts_before`: infinite
-- times cannot be subtracted and are in no block.
--
-- `among_scarce` reads the events that may be full or filling, which have an index of their own. The seats of a match
-- are read from the inventory, in order of the start, until the page is full.
--
-- The plan is made once for a session: sequential scans are off, because the planner cannot estimate a query that it
-- does not see.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.match_listings(
    facets tsquery,
    words tsquery,
    compares boolean,
    availability text,
    among_scarce boolean,
    starts_from timestamptz,
    after_id uuid,
    starts_before timestamptz,
    most integer,
    when_few text
)
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    rows_most constant integer := 120;
    sample_min constant integer := 60;
    bits_min constant integer := 12;
    everything constant tsquery := coalesce(match_listings.facets && words, match_listings.facets, words);
    last_start constant timestamptz := least(
        (select coalesce(max(l.starts_at), '-infinity') from events.listings as l),
        match_listings.starts_before - interval '1 microsecond'
    );
    bits_max integer := 26;
    bits integer := 16;
    small_blocks integer := 0;
    moment timestamptz := match_listings.starts_from;
    comparing boolean := match_listings.compares;
    is_whole boolean := false;
    was_asked boolean := when_few = 'continue' or everything is null or querytree(everything) = 'T';
    block_end timestamptz;
    block tsquery;
    asked tsquery;
    read_most integer;
    rows_read bigint;
    fitting bigint;
    rows_compared bigint := 0;
    rows_fitting bigint := 0;
    page uuid[];
    event_ids uuid[] := '{}';
begin
    while moment <= last_start and cardinality(event_ids) < most loop
        if is_whole then
            asked := everything;
            block_end := 'infinity';
        else
            block_end := to_timestamp(((events.time_block(moment, bits) + 1) << bits)::double precision);
            block := events.quoted_lexeme(events.facet(bits::text, events.time_block(moment, bits)::text))::tsquery;
            asked := case when comparing then match_listings.facets else everything end;
            asked := coalesce(block && asked, block);
        end if;
        read_most := case when is_whole or bits > bits_min then rows_most + 1 end;

        with matched as materialized (
            (
                select l.event_id, l.starts_at, not comparing or is_whole or l.lexemes @@ words as fits
                from events.listings as l
                where not match_listings.among_scarce and l.lexemes @@ asked
            )
            union all
            (
                select s.event_id, s.starts_at, not comparing or is_whole or s.lexemes @@ words as fits
                from events.scarce_listings as s
                where match_listings.among_scarce and s.lexemes @@ asked
            )
            limit read_most
        ),
        counted as materialized (
            select count(*) as rows_read, count(*) filter (where m.fits) as fitting
            from matched as m
        )
        select
            c.rows_read,
            c.fitting,
            array(
                select f.event_id
                from (
                    select m.event_id
                    from matched as m
                    where
                        m.fits
                        and (m.starts_at, m.event_id) > (match_listings.starts_from, match_listings.after_id)
                        and m.starts_at >= moment
                        and m.starts_at <= last_start
                        and (read_most is null or c.rows_read < read_most)
                    order by m.starts_at, m.event_id
                    offset 0
                ) as f
                where
                    match_listings.availability is null
                    or (
                        select
                            events.availability_v2(i.capacity, events.seats_left(i)) = match_listings.availability
                        from events.inventory as i
                        where i.event_id = f.event_id
                    )
                limit match_listings.most - cardinality(event_ids)
            )
        into rows_read, fitting, page
        from counted as c;

        if comparing and not is_whole then
            rows_compared := rows_compared + rows_read;
            rows_fitting := rows_fitting + fitting;
            comparing := rows_compared < sample_min or rows_fitting * 10 >= rows_compared;
            continue when not comparing and rows_read >= read_most;
        end if;
        if rows_read >= read_most then
            if is_whole then
                is_whole := false;
                continue;
            end if;
            bits := bits - 2;
            bits_max := bits;
            small_blocks := 0;
            continue;
        end if;
        event_ids := event_ids || page;
        moment := block_end;
        exit when is_whole;

        if not was_asked and fitting * extract(epoch from last_start - moment) / (1::bigint << bits) <= rows_most then
            if when_few = 'return' then
                return null;
            end if;
            was_asked := true;
            is_whole := true;
        end if;
        if rows_read * 4 < rows_most then
            small_blocks := small_blocks + 1;
            if small_blocks % 4 = 0 then
                bits_max := least(bits_max + 2, 26);
            end if;
            bits := least(bits + case when rows_read * 16 < rows_most then 4 else 2 end, bits_max);
        end if;
    end loop;
    return event_ids;
end;
$$;

comment on function events.match_listings(
    tsquery, tsquery, boolean, text, boolean, timestamptz, uuid, timestamptz, integer, text
) is 'Return the first events by start whose listings match facets and words.';
