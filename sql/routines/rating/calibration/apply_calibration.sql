-- rating.apply_calibration: make a fit of all votes the new base of the ratings, except where something changed
-- meanwhile.
--
-- Items and voters adopt the fit if their version is the one that the fit has read. A batch that ran in between has
-- raised the version, and its items wait for the next night. The same transaction advances the period, so that the next
-- batch of each item starts from the fit. Items whose ratings changed are marked for publishing.
--
-- Of two concurrent runs for one organization, the later one changes nothing: its calibration_id is no longer the
-- latest. A run that started under another model changes nothing either. Locks the organization's period exclusively
-- (rating.lock_periods), so that no batch is counting. Then locks items, voters and marks, each in id order. With empty
-- arrays and no population, only the report is written.

create or replace function rating.apply_calibration(
    organization_id uuid,
    began_at timestamptz,
    calibration_id bigint,
    item_ids text[],
    item_versions bigint[],
    means double precision[],
    deviations double precision[],
    voter_ids text[],
    voter_versions bigint[],
    log_odds double precision[],
    population jsonb,
    report jsonb
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    assumed jsonb;
    changed text[];
    taken_over bigint;
    voters_taken_over bigint;
begin
    perform rating.lock_periods(organization_ids => array[apply_calibration.organization_id], alone => true);

    insert into rating.populations (organization_id)
    values (apply_calibration.organization_id)
    on conflict on constraint populations_pkey do nothing;

    select to_jsonb(p) - 'organization_id'
    into assumed
    from rating.populations as p
    where p.organization_id = apply_calibration.organization_id;

    if apply_calibration.calibration_id is distinct from (
        select max(c.id) from rating.calibrations as c where c.organization_id = apply_calibration.organization_id
    ) or apply_calibration.report ->> 'model' <> (
        rating.effective_settings(organization_id => apply_calibration.organization_id)
    ).model::text then
        return jsonb_build_object('superseded', true, 'applied', 0, 'voters', 0, 'marked', 0);
    end if;

    with given as materialized (
        select g.item_id, g.version, g.mean, g.deviation
        from unnest(
            apply_calibration.item_ids,
            apply_calibration.item_versions,
            apply_calibration.means,
            apply_calibration.deviations
        ) as g (item_id, version, mean, deviation)
    ),

    locked as materialized (
        select s.item_id, s.mean, s.deviation
        from rating.item_stats as s
        inner join given as g on s.item_id = g.item_id and s.version = g.version
        where
            s.organization_id = apply_calibration.organization_id
            and s.updated_at <= apply_calibration.began_at
        order by s.organization_id, s.item_id
        for update of s
    ),

    updated as (
        update rating.item_stats as s
        set
            mean = g.mean,
            deviation = g.deviation,
            version = s.version + 1,
            updated_at = statement_timestamp()
        from locked as l
        inner join given as g on l.item_id = g.item_id
        where s.organization_id = apply_calibration.organization_id and s.item_id = l.item_id
        returning s.item_id, abs(g.mean - l.mean) > 1e-6 or abs(g.deviation - l.deviation) > 1e-6 as moved
    )

    select count(*), array_agg(u.item_id::text order by u.item_id) filter (where u.moved)
    into taken_over, changed
    from updated as u;

    with given as materialized (
        select g.voter_id, g.version, g.log_odds
        from unnest(
            apply_calibration.voter_ids, apply_calibration.voter_versions, apply_calibration.log_odds
        ) as g (voter_id, version, log_odds)
    ),

    locked as materialized (
        select r.voter_id
        from rating.voters as r
        inner join given as g on r.voter_id = g.voter_id and r.version = g.version
        where
            r.organization_id = apply_calibration.organization_id
            and r.updated_at <= apply_calibration.began_at
        order by r.organization_id, r.voter_id
        for update of r
    )

    update rating.voters as r
    set log_odds = g.log_odds, version = r.version + 1, updated_at = statement_timestamp()
    from locked as l
    inner join given as g on l.voter_id = g.voter_id
    where r.organization_id = apply_calibration.organization_id and r.voter_id = l.voter_id;

    get diagnostics voters_taken_over = row_count;

    if apply_calibration.population is not null then
        update rating.populations as p
        set
            period = p.period + 1,
            period_began_at = statement_timestamp(),
            prior_mean = (apply_calibration.population ->> 'prior_mean')::double precision,
            prior_deviation = (apply_calibration.population ->> 'prior_deviation')::double precision,
            slider_mean = (apply_calibration.population ->> 'slider_mean')::double precision,
            slider_deviation = (apply_calibration.population ->> 'slider_deviation')::double precision,
            rater_deviation = (apply_calibration.population ->> 'rater_deviation')::double precision,
            noise_deviation = (apply_calibration.population ->> 'noise_deviation')::double precision,
            fires_half = (apply_calibration.population ->> 'fires_half')::double precision,
            honest_share = (apply_calibration.population ->> 'honest_share')::double precision,
            items = (apply_calibration.report ->> 'items')::bigint,
            estimated_at = statement_timestamp()
        where p.organization_id = apply_calibration.organization_id;
    end if;

    insert into rating.calibrations (
        organization_id, began_at, items, voters, votes, votes_left_out, applied, touched, incomplete, model, before,
        after, mean_difference, largest_difference
    )
    select
        apply_calibration.organization_id,
        apply_calibration.began_at,
        r.items,
        r.voters,
        r.votes,
        r.votes_left_out,
        taken_over,
        cardinality(apply_calibration.item_ids) - taken_over,
        r.incomplete,
        r.model,
        assumed,
        coalesce(apply_calibration.population, assumed),
        r.mean_difference,
        r.largest_difference
    from jsonb_to_record(apply_calibration.report) as r (
        items bigint,
        voters bigint,
        votes bigint,
        votes_left_out bigint,
        incomplete bigint,
        model rating.model,
        mean_difference double precision,
        largest_difference double precision
    );

    if changed is not null then
        perform rating.mark_dirty(
            organization_id => apply_calibration.organization_id, item_ids => changed, priority => 0
        );
    end if;

    return jsonb_build_object(
        'superseded', false,
        'applied', taken_over,
        'voters', voters_taken_over,
        'marked', coalesce(cardinality(changed), 0)
    );
end;
$$;

comment on function rating.apply_calibration(
    uuid, timestamptz, bigint, text[], bigint[], double precision[], double precision[], text[], bigint[],
    double precision[], jsonb, jsonb
) is
'Adopt a fit of all votes, except where something changed meanwhile. Returns how many items and voters adopted it.';

grant execute on function rating.apply_calibration(
    uuid, timestamptz, bigint, text[], bigint[], double precision[], double precision[], text[], bigint[],
    double precision[], jsonb, jsonb
) to service_role;
