-- events.search_query: what somebody typed as one query, by the rules of every language that events are described in.
--
-- One constant, so that the index on the events' words serves it; what several languages read alike is in it once, or
-- the planner would expect too many matches. Null where nothing was typed that could be found.

create or replace function events.search_query(q text)
returns tsquery
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    reading tsquery;
    words tsquery;
begin
    for reading in
        select distinct websearch_to_tsquery(l.search_config, search_query.q) as reading
        from ref.languages as l
        order by reading
    loop
        if numnode(reading) > 0 then
            words := coalesce(words || reading, reading);
        end if;
    end loop;
    return words;
end;
$$;

comment on function events.search_query(text) is 'What somebody typed, as a query in any language.';
