-- rating.write_voters: add a batch's results to the statistics of voters.
--
-- Results are added, so that concurrent batches may read the same voters. The first addition of a period stores the
-- former values as base. Locks the voters' rows in id order. Returns the number of voters.

create or replace function rating.write_voters(
    organization_ids uuid[],
    voter_ids text[],
    periods bigint[],
    votes bigint[],
    agreed bigint[],
    expected double precision[],
    log_odds double precision[],
    sliders bigint[],
    slider_sum double precision[],
    slider_square_sum double precision[],
    residual_sum double precision[],
    residual_square_sum double precision[],
    fires bigint[]
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    written integer;
begin
    insert into rating.voters as v (
        organization_id, voter_id, period, votes, agreed, expected, log_odds, sliders, slider_sum,
        slider_square_sum, residual_sum, residual_square_sum, fires
    )
    select
        g.organization_id, g.voter_id, g.period, g.votes, g.agreed, g.expected, g.log_odds, g.sliders,
        g.slider_sum, g.slider_square_sum, g.residual_sum, g.residual_square_sum, g.fires
    from unnest(
        write_voters.organization_ids,
        write_voters.voter_ids,
        write_voters.periods,
        write_voters.votes,
        write_voters.agreed,
        write_voters.expected,
        write_voters.log_odds,
        write_voters.sliders,
        write_voters.slider_sum,
        write_voters.slider_square_sum,
        write_voters.residual_sum,
        write_voters.residual_square_sum,
        write_voters.fires
    ) as g (
        organization_id, voter_id, period, votes, agreed, expected, log_odds, sliders, slider_sum,
        slider_square_sum, residual_sum, residual_square_sum, fires
    )
    order by g.organization_id, g.voter_id
    on conflict (organization_id, voter_id) do update
    set
        period = greatest(v.period, excluded.period),
        base_log_odds = case when v.period < excluded.period then v.log_odds else v.base_log_odds end,
        base_sliders = case when v.period < excluded.period then v.sliders else v.base_sliders end,
        base_residual_sum
        = case when v.period < excluded.period then v.residual_sum else v.base_residual_sum end,
        base_residual_square_sum
        = case when v.period < excluded.period then v.residual_square_sum else v.base_residual_square_sum end,
        votes = v.votes + excluded.votes,
        agreed = v.agreed + excluded.agreed,
        expected = v.expected + excluded.expected,
        log_odds = v.log_odds + excluded.log_odds,
        sliders = v.sliders + excluded.sliders,
        slider_sum = v.slider_sum + excluded.slider_sum,
        slider_square_sum = v.slider_square_sum + excluded.slider_square_sum,
        residual_sum = v.residual_sum + excluded.residual_sum,
        residual_square_sum = v.residual_square_sum + excluded.residual_square_sum,
        fires = v.fires + excluded.fires,
        version = v.version + 1,
        updated_at = now();
    get diagnostics written = row_count;

    return written;
end;
$$;

comment on function rating.write_voters(
    uuid[], text[], bigint[], bigint[], bigint[], double precision[], double precision[], bigint[],
    double precision[], double precision[], double precision[], double precision[], bigint[]
) is 'Add a batch''s results to the statistics of voters.';

grant execute on function rating.write_voters(
    uuid[], text[], bigint[], bigint[], bigint[], double precision[], double precision[], bigint[],
    double precision[], double precision[], double precision[], double precision[], bigint[]
) to service_role;
