-- rating.reset_ratings: delete the statistics of an organization's items and raters, and have all events counted again.
--
-- Use it after a change of the model. Events of archived months return to the inbox like the others. Scores stay until
-- they are replaced, and the population's estimates stay too. Returns {"events", "items"}: the numbers that wait now.
--
-- Waits for running batches, and excludes other rating work of the organization until it commits. Events that arrive
-- meanwhile are counted once. Blocks the archiving of months, then locks the organization's period exclusively, then
-- all marks of its items in order.
--
-- Refuses: 401 unauthenticated, 404 organization_not_found, 403 forbidden (owners and the service may).

create or replace function rating.reset_ratings(organization_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    logs text;
begin
    if ops.caller_id() is null and not ops.caller_is_service() then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if not exists (select from organizations.organizations as o where o.id = reset_ratings.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    if not organizations.caller_is(reset_ratings.organization_id, 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;

    perform pg_advisory_xact_lock_shared(hashtextextended('rating.archive_events', 0));
    perform rating.lock_periods(organization_ids => array[reset_ratings.organization_id], alone => true);

    update rating.populations as p
    set period = p.period + 1, period_began_at = now()
    where p.organization_id = reset_ratings.organization_id;

    delete from rating.voters as v
    where v.organization_id = reset_ratings.organization_id;

    -- As in rating.take_events, a row of version 0 has no statistics.
    with forgotten as (
        delete from rating.item_stats as i
        where i.organization_id = reset_ratings.organization_id
        returning i.organization_id, i.item_id
    )

    insert into rating.item_stats (organization_id, item_id, model, mean, deviation, base_mean, base_deviation)
    select f.organization_id, f.item_id, 'bayes', 0, 1, 0, 1
    from forgotten as f;

    logs := (
        select string_agg(
            format(
                case l.kind
                    when 'votes'
                        then
                            'select e.event_id, ''vote'', e.voter_id, i.item_id, i.opponent_id, i.first, '
                            '(e.winner = i.item_id)::integer, case e.kind when ''super'' then 2 else 1 end '
                            'from %s as e cross join lateral (values '
                            '(e.item_a, e.item_b, true), (e.item_b, e.item_a, false)'
                            ') as i (item_id, opponent_id, first) '
                            'where e.organization_id = $1'
                    when 'sliders'
                        then
                            'select e.event_id, ''slider'', e.voter_id, e.item_id, null, true, e.value, 1 '
                            'from %s as e where e.organization_id = $1'
                    else
                        'select e.event_id, ''fire'', e.voter_id, e.item_id, null, true, 1, 1 '
                        'from %s as e where e.organization_id = $1'
                end,
                l.name
            ),
            ' union all '
        )
        from (
            select k.kind, 'rating.' || k.kind as name
            from unnest('{votes,sliders,fires}'::text[]) as k (kind)
            union all
            select substring(c.relname from '^[a-z]+'), c.oid::regclass::text
            from pg_catalog.pg_class as c
            where c.relnamespace = 'rating_archive'::regnamespace and c.relkind = 'r'
        ) as l
    );

    execute
        'insert into rating.inbox '
        '(organization_id, item_id, event_id, kind, voter_id, opponent_id, first, score, weight) '
        'select $1, l.item_id, l.event_id, l.kind::rating.event_kind, l.voter_id, l.opponent_id, l.first, l.score,'
        '    l.weight '
        'from (' || logs || ') as l (event_id, kind, voter_id, item_id, opponent_id, first, score, weight) '
        'order by l.item_id, l.event_id '
        'on conflict on constraint inbox_pkey do nothing'
    using reset_ratings.organization_id;

    return jsonb_build_object(
        'events', (
            select count(*)
            from rating.inbox as i
            where i.organization_id = reset_ratings.organization_id and i.first
        ),
        'items', (
            select count(*)
            from rating.dirty_items as d
            where d.organization_id = reset_ratings.organization_id
        )
    );
end;
$$;

comment on function rating.reset_ratings(uuid) is
'Delete the statistics of an organization''s items and raters, and have all events counted again.';

grant execute on function rating.reset_ratings(uuid) to authenticated, service_role;
