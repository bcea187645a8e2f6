-- events.rank_query: return the query for the listings of one rank, which no other rank returns.
--
-- The ranks are those of events.search_listings. A rank leaves out what the ranks before contain: the place before with
-- the prefix, and for a prefix the same place with whole words. With `is_first` the places before have no match, so
-- that the index need not read their words. `everywhere` applies to all words of the event, because of excluded
-- words.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.rank_query(
    rank integer, whole tsquery, prefixed tsquery, everywhere tsquery, is_first boolean
)
returns tsquery
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    tag constant text := (array['t', 'n'])[(rank_query.rank + 1) / 2];
    tag_before constant text := (array['t', 'n'])[(rank_query.rank - 1) / 2];
    words tsquery;
begin
    if rank_query.rank = 0 then
        return everywhere;
    end if;
    words := case when tag is null then whole else events.tagged_query(tag, whole) end;
    if rank_query.rank % 2 = 0 then
        words := case when tag is null then prefixed else events.tagged_query(tag, prefixed) end && !!words;
    end if;
    if tag_before is not null and not is_first then
        words := words && !!events.tagged_query(tag_before, prefixed);
    end if;
    return case when everywhere is null then words else words && everywhere end;
end;
$$;

comment on function events.rank_query(integer, tsquery, tsquery, tsquery, boolean) is
'Return the query for the listings of one rank, which no other rank returns.';
