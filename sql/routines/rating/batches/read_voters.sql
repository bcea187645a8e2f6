-- rating.read_voters: return the statistics of voters, for a batch.
--
-- Called in a transaction that holds the periods (rating.take_events). Locks nothing: a batch uses the values before
-- the period, which no batch changes, and rating.write_voters adds its results. Returns one row of arrays in the order
-- of the given voters, with zeros for an unknown voter.

create or replace function rating.read_voters(organization_ids uuid[], voter_ids text[])
returns table (
    votes bigint[],
    agreed bigint[],
    expected double precision[],
    log_odds double precision[],
    period bigint[],
    base_log_odds double precision[],
    sliders bigint[],
    slider_sum double precision[],
    slider_square_sum double precision[],
    residual_sum double precision[],
    residual_square_sum double precision[],
    base_sliders bigint[],
    base_residual_sum double precision[],
    base_residual_square_sum double precision[]
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        array_agg(coalesce(v.votes, 0) order by g.number),
        array_agg(coalesce(v.agreed, 0) order by g.number),
        array_agg(coalesce(v.expected, 0) order by g.number),
        array_agg(coalesce(v.log_odds, 0) order by g.number),
        array_agg(coalesce(v.period, 0) order by g.number),
        array_agg(coalesce(v.base_log_odds, 0) order by g.number),
        array_agg(coalesce(v.sliders, 0) order by g.number),
        array_agg(coalesce(v.slider_sum, 0) order by g.number),
        array_agg(coalesce(v.slider_square_sum, 0) order by g.number),
        array_agg(coalesce(v.residual_sum, 0) order by g.number),
        array_agg(coalesce(v.residual_square_sum, 0) order by g.number),
        array_agg(coalesce(v.base_sliders, 0) order by g.number),
        array_agg(coalesce(v.base_residual_sum, 0) order by g.number),
        array_agg(coalesce(v.base_residual_square_sum, 0) order by g.number)
    from unnest(read_voters.organization_ids, read_voters.voter_ids)
        with ordinality as g (organization_id, voter_id, number)
    left join rating.voters as v on v.organization_id = g.organization_id and v.voter_id = g.voter_id;
$$;

comment on function rating.read_voters(uuid[], text[]) is 'Return the statistics of voters, as one row of arrays.';

grant execute on function rating.read_voters(uuid[], text[]) to service_role;
