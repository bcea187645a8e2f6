-- rating.write_items: write a batch's results: statistics of changed items, and scores of published items with their
-- history.
--
-- Called in the transaction that took the items' events (rating.take_events). The arrays correspond by position;
-- `opponents` and `slider_voters` hold arrays as text. Locks rows of rating.item_scores in id order. These are free,
-- because only the transaction that has locked an item's row of rating.item_stats publishes the item. Returns the
-- number of published scores.

create or replace function rating.write_items(
    organization_ids uuid[],
    item_ids text[],
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
    opponents text[],
    slider_voters text[],
    changed boolean[],
    published boolean[],
    score double precision[],
    rating_component double precision[],
    slider_component double precision[],
    fire_component double precision[],
    reliability double precision[],
    confidence double precision[],
    provisional boolean[],
    model text[],
    model_version text[],
    at timestamptz default statement_timestamp()
)
returns integer
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    with given as materialized (
        select g.*
        from unnest(
            write_items.organization_ids,
            write_items.item_ids,
            write_items.mean,
            write_items.deviation,
            write_items.period,
            write_items.base_mean,
            write_items.base_deviation,
            write_items.score_sum,
            write_items.information_sum,
            write_items.votes,
            write_items.super_votes,
            write_items.wins,
            write_items.sliders,
            write_items.fires,
            write_items.slider_sum,
            write_items.slider_weight,
            write_items.base_slider_sum,
            write_items.base_slider_weight,
            write_items.fire_weight,
            write_items.reliability_sum,
            write_items.reliability_count,
            write_items.opponents,
            write_items.slider_voters,
            write_items.changed,
            write_items.published,
            write_items.score,
            write_items.rating_component,
            write_items.slider_component,
            write_items.fire_component,
            write_items.reliability,
            write_items.confidence,
            write_items.provisional,
            write_items.model,
            write_items.model_version
        ) as g (
            organization_id, item_id, mean, deviation, period, base_mean, base_deviation, score_sum,
            information_sum, votes, super_votes, wins, sliders, fires, slider_sum, slider_weight,
            base_slider_sum, base_slider_weight, fire_weight, reliability_sum, reliability_count, opponents,
            slider_voters, changed, published, score, rating_component, slider_component, fire_component,
            reliability, confidence, provisional, model, model_version
        )
    ),

    known as (
        update rating.item_stats as i
        set
            model = g.model::rating.model,
            mean = g.mean,
            deviation = g.deviation,
            period = g.period,
            base_mean = g.base_mean,
            base_deviation = g.base_deviation,
            score_sum = g.score_sum,
            information_sum = g.information_sum,
            votes = g.votes,
            super_votes = g.super_votes,
            wins = g.wins,
            sliders = g.sliders,
            fires = g.fires,
            slider_sum = g.slider_sum,
            slider_weight = g.slider_weight,
            base_slider_sum = g.base_slider_sum,
            base_slider_weight = g.base_slider_weight,
            fire_weight = g.fire_weight,
            reliability_sum = g.reliability_sum,
            reliability_count = g.reliability_count,
            opponents = g.opponents::text[],
            slider_voters = g.slider_voters::text[],
            version = i.version + 1,
            updated_at = write_items.at
        from given as g
        where g.changed and i.organization_id = g.organization_id and i.item_id = g.item_id
    ),

    scored as (
        insert into rating.item_scores as s (
            organization_id, item_id, score, rating_component, slider_component, fire_component, reliability,
            mean, deviation, confidence, provisional, votes, sliders, fires, model, model_version,
            published_at
        )
        select
            g.organization_id, g.item_id, g.score, g.rating_component, g.slider_component, g.fire_component,
            g.reliability, g.mean, g.deviation, g.confidence, g.provisional, g.votes, g.sliders, g.fires,
            g.model::rating.model, g.model_version, write_items.at
        from given as g
        where g.published
        order by g.organization_id, g.item_id
        on conflict (organization_id, item_id) do update
        set
            score = excluded.score,
            rating_component = excluded.rating_component,
            slider_component = excluded.slider_component,
            fire_component = excluded.fire_component,
            reliability = excluded.reliability,
            mean = excluded.mean,
            deviation = excluded.deviation,
            confidence = excluded.confidence,
            provisional = excluded.provisional,
            votes = excluded.votes,
            sliders = excluded.sliders,
            fires = excluded.fires,
            model = excluded.model,
            model_version = excluded.model_version,
            published_at = excluded.published_at
        returning s.organization_id
    ),

    remembered as (
        insert into rating.score_history (
            organization_id, item_id, score, mean, deviation, confidence, provisional, votes, sliders, fires,
            model, model_version, published_at
        )
        select
            g.organization_id, g.item_id, g.score, g.mean, g.deviation, g.confidence, g.provisional, g.votes,
            g.sliders, g.fires, g.model::rating.model, g.model_version, write_items.at
        from given as g
        where g.published
    )

    select count(*)::integer from scored;
$$;

comment on function rating.write_items(
    uuid[], text[], double precision[], double precision[], bigint[], double precision[], double precision[],
    double precision[], double precision[], bigint[], bigint[], bigint[], bigint[], bigint[],
    double precision[], double precision[], double precision[], double precision[], double precision[],
    double precision[], bigint[], text[], text[], boolean[], boolean[], double precision[], double precision[],
    double precision[], double precision[], double precision[], double precision[], boolean[], text[], text[],
    timestamptz
) is 'Write a batch''s results for items, and publish scores. Returns the number of published scores.';

grant execute on function rating.write_items(
    uuid[], text[], double precision[], double precision[], bigint[], double precision[], double precision[],
    double precision[], double precision[], bigint[], bigint[], bigint[], bigint[], bigint[],
    double precision[], double precision[], double precision[], double precision[], double precision[],
    double precision[], bigint[], text[], text[], boolean[], boolean[], double precision[], double precision[],
    double precision[], double precision[], double precision[], double precision[], boolean[], text[], text[],
    timestamptz
) to service_role;
