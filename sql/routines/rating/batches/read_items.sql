-- rating.read_items: return the statistics and published scores of a batch's items, and the ratings of their opponents.
--
-- Called in the transaction that took the items' events (rating.take_events). Returns one row of arrays. The arrays up
-- to published_at follow the order of the given items, all of which have rows by then. published_* are null for an
-- unpublished item. The remaining arrays follow the order of the given opponents. A row of version 0 has no statistics,
-- and an opponent without a row counts as one.

create or replace function rating.read_items(
    organization_ids uuid[],
    item_ids text[],
    opponent_organization_ids uuid[],
    opponent_ids text[]
)
returns table (
    mean double precision[],
    deviation double precision[],
    period bigint[],
    base_mean double precision[],
    base_deviation double precision[],
    score_sum double precision[],
    information_sum double precision[],
    votes bigint[],
    super_votes bigint[],
    wins bigint[],
    sliders bigint[],
    fires bigint[],
    slider_sum double precision[],
    slider_weight double precision[],
    base_slider_sum double precision[],
    base_slider_weight double precision[],
    fire_weight double precision[],
    reliability_sum double precision[],
    reliability_count bigint[],
    version bigint[],
    opponents json,
    slider_voters json,
    published_score double precision[],
    published_confidence double precision[],
    published_deviation double precision[],
    published_at double precision[],
    opponent_mean double precision[],
    opponent_deviation double precision[],
    opponent_period bigint[],
    opponent_base_mean double precision[],
    opponent_base_deviation double precision[],
    opponent_version bigint[]
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with own as (
        select
            array_agg(i.mean order by g.number) as mean,
            array_agg(i.deviation order by g.number) as deviation,
            array_agg(i.period order by g.number) as period,
            array_agg(i.base_mean order by g.number) as base_mean,
            array_agg(i.base_deviation order by g.number) as base_deviation,
            array_agg(i.score_sum order by g.number) as score_sum,
            array_agg(i.information_sum order by g.number) as information_sum,
            array_agg(i.votes order by g.number) as votes,
            array_agg(i.super_votes order by g.number) as super_votes,
            array_agg(i.wins order by g.number) as wins,
            array_agg(i.sliders order by g.number) as sliders,
            array_agg(i.fires order by g.number) as fires,
            array_agg(i.slider_sum order by g.number) as slider_sum,
            array_agg(i.slider_weight order by g.number) as slider_weight,
            array_agg(i.base_slider_sum order by g.number) as base_slider_sum,
            array_agg(i.base_slider_weight order by g.number) as base_slider_weight,
            array_agg(i.fire_weight order by g.number) as fire_weight,
            array_agg(i.reliability_sum order by g.number) as reliability_sum,
            array_agg(i.reliability_count order by g.number) as reliability_count,
            array_agg(i.version order by g.number) as version,
            json_agg(i.opponents order by g.number) as opponents,
            json_agg(i.slider_voters order by g.number) as slider_voters,
            array_agg(s.score order by g.number) as published_score,
            array_agg(s.confidence order by g.number) as published_confidence,
            array_agg(s.deviation order by g.number) as published_deviation,
            array_agg(extract(epoch from s.published_at)::double precision order by g.number) as published_at
        from unnest(read_items.organization_ids, read_items.item_ids)
            with ordinality as g (organization_id, item_id, number)
        inner join rating.item_stats as i on i.organization_id = g.organization_id and i.item_id = g.item_id
        left join rating.item_scores as s on s.organization_id = g.organization_id and s.item_id = g.item_id
    ),

    others as (
        select
            array_agg(coalesce(i.mean, 0) order by g.number) as mean,
            array_agg(coalesce(i.deviation, 1) order by g.number) as deviation,
            array_agg(coalesce(i.period, 0) order by g.number) as period,
            array_agg(coalesce(i.base_mean, 0) order by g.number) as base_mean,
            array_agg(coalesce(i.base_deviation, 1) order by g.number) as base_deviation,
            array_agg(coalesce(i.version, 0) order by g.number) as version
        from unnest(read_items.opponent_organization_ids, read_items.opponent_ids)
            with ordinality as g (organization_id, item_id, number)
        left join rating.item_stats as i on i.organization_id = g.organization_id and i.item_id = g.item_id
    )

    select
        o.mean,
        o.deviation,
        o.period,
        o.base_mean,
        o.base_deviation,
        o.score_sum,
        o.information_sum,
        o.votes,
        o.super_votes,
        o.wins,
        o.sliders,
        o.fires,
        o.slider_sum,
        o.slider_weight,
        o.base_slider_sum,
        o.base_slider_weight,
        o.fire_weight,
        o.reliability_sum,
        o.reliability_count,
        o.version,
        o.opponents,
        o.slider_voters,
        o.published_score,
        o.published_confidence,
        o.published_deviation,
        o.published_at,
        e.mean,
        e.deviation,
        e.period,
        e.base_mean,
        e.base_deviation,
        e.version
    from own as o
    cross join others as e;
$$;

comment on function rating.read_items(uuid[], text[], uuid[], text[]) is
'Return statistics and published scores of items, and the ratings of their opponents, as one row of arrays.';

grant execute on function rating.read_items(uuid[], text[], uuid[], text[]) to service_role;
