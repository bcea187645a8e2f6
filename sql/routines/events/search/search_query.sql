-- events.search_query: return a search text as one query, by the rules of every language in which events are described.
--
-- One constant, so that the index on the events' words serves it. Each distinct reading appears once, because the
-- planner would expect too many matches otherwise. Returns null if the text contains nothing to search for.

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

comment on function events.search_query(text) is 'Return a search text as one query for all languages.';
