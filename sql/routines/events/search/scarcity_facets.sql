-- events.scarcity_facets: return the facets of an event that may be filling (1), full (2), or one of them (3).

create or replace function events.scarcity_facets(scarcity integer)
returns tsvector
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select
        array_to_tsvector(
            array_remove(
                array[
                    case when scarcity & 1 = 1 then events.facet('scarce', 'filling') end,
                    case when scarcity & 2 = 2 then events.facet('scarce', 'full') end
                ],
                null
            )
        );
$$;

comment on function events.scarcity_facets(integer) is
'Return the facets of an event that may be filling (1), full (2), or one of them (3).';
