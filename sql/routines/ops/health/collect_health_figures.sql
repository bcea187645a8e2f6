-- ops.collect_health_figures: return the figures of the system's health, with a status for each.
--
-- Reads a bounded number of rows: the events of the last 2,000 messages, the oldest expired hold, the oldest message.
-- Events with more than 20,000 taken seats are left to the nightly count (ops.verify_counters). `before` holds the
-- details of the last check, which say since when free seats were not offered to the waitlist. `database_ms` is the
-- time that the caller waited for a response of the database; null: not measured.

create or replace function ops.collect_health_figures(
    before jsonb default '{}',
    database_ms double precision default null,
    at timestamptz default statement_timestamp()
)
returns table (name text, value double precision, unit text, status text, details jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    drifted uuid[];
    unoffered uuid[];
    unoffered_since timestamptz;
    oldest timestamptz;
    amount bigint;
    states jsonb;
begin
    if collect_health_figures.database_ms is not null then
        return query
        select
            'database_response_ms', collect_health_figures.database_ms, 'milliseconds',
            ops.health_status(collect_health_figures.database_ms, 100, 500), '{}'::jsonb;
    end if;

    drifted := array(
        select d.event_id
        from ops.count_drift(array(
            select i.event_id
            from events.inventory as i
            where
                i.taken <= 20000
                and i.event_id in (
                    select case when o.key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then o.key::uuid end
                    from (select r.key from public.outbox as r order by r.id desc limit 2000) as o
                )
        )) as d
    );
    return query
    select
        'booking_counters_drifted', cardinality(drifted)::double precision, 'events',
        ops.health_status(cardinality(drifted), 1, 1), jsonb_build_object('events', drifted[1:10]);

    unoffered := array(
        select i.event_id
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        cross join lateral (
            select w.seats
            from events.waitlist_entries as w
            where w.event_id = i.event_id and w.status = 'waiting'
            order by w.place
            limit 1
        ) as head
        where
            i.waitlisted > 0
            and (i.capacity is null or i.capacity - i.taken - i.held >= head.seats)
            and events.offers_are_open(t, collect_health_figures.at)
        limit 100
    );
    unoffered_since := case
        when cardinality(unoffered) > 0
        then coalesce(
            (collect_health_figures.before -> 'waitlist_offer_delay_seconds' ->> 'since')::timestamptz,
            collect_health_figures.at
        )
    end;
    amount := coalesce(extract(epoch from collect_health_figures.at - unoffered_since), 0);
    return query
    select
        'waitlist_offer_delay_seconds', amount::double precision, 'seconds', ops.health_status(amount, 60, 300),
        jsonb_build_object('since', unoffered_since, 'events', unoffered[1:10]);

    select min(h.expires_at) into oldest
    from events.holds as h
    where h.status = 'active';
    return query select * from ops.age_figure('expired_hold_age_seconds', oldest, 120, 300, collect_health_figures.at);

    select o.created_at into oldest
    from public.outbox as o
    where o.relayed_at is null and o.parked_at is null
    order by o.id
    limit 1;
    return query select * from ops.age_figure('outbox_lag_seconds', oldest, 60, 300, collect_health_figures.at);

    select count(*) into amount
    from public.outbox as o
    where o.parked_at is not null;
    return query
    select 'outbox_parked', amount::double precision, 'messages', ops.health_status(amount, 1, 100), '{}'::jsonb;

    select min(d.created_at) into oldest
    from messaging.deliveries as d
    where d.status = 'sending';
    return query select * from ops.age_figure('delivery_age_seconds', oldest, 900, 3600, collect_health_figures.at);

    return query
    select
        'partition_months_ahead', min(p.months_ahead)::double precision, 'months',
        case
            when bool_or(p.months_ahead < 1) then 'critical'
            when bool_or(p.months_ahead < p.months_wanted - 1) then 'warning'
            else 'healthy'
        end,
        jsonb_object_agg(p.table_name, p.months_ahead)
    from ops.partition_states(collect_health_figures.at) as p;

    return query
    select
        'default_partition_rows', sum(p.in_default)::double precision, 'rows',
        ops.health_status(sum(p.in_default), 1, 1000),
        coalesce(jsonb_object_agg(p.table_name, p.in_default) filter (where p.in_default > 0), '{}')
    from ops.partition_states(collect_health_figures.at) as p;

    return query select * from payments.ledger_figures(collect_health_figures.at);
    return query select * from payments.inbox_figures(collect_health_figures.at);
    return query select * from rating.queue_figures(collect_health_figures.at);

    states := (select jsonb_agg(s) from ops.job_states(collect_health_figures.at) as s);
    return query
    select
        'jobs_late', count(*)::double precision, 'jobs', ops.health_status(count(*), 1, 1),
        jsonb_build_object('jobs', coalesce(jsonb_agg(s.value ->> 'job'), '[]'))
    from jsonb_array_elements(states) as s (value)
    where (s.value ->> 'late')::boolean;

    return query
    select
        'jobs_failing', count(*)::double precision, 'jobs', ops.health_status(count(*), 1, null),
        coalesce(jsonb_object_agg(s.value ->> 'job', s.value ->> 'last_error'), '{}')
    from jsonb_array_elements(states) as s (value)
    where (s.value ->> 'failing')::boolean;

    return query
    select
        'time_zones_differing', count(z.name)::double precision, 'zones', ops.health_status(count(z.name), 1, null),
        coalesce(jsonb_object_agg(z.name, z.first_at) filter (where z.name is not null), '{}')
    from (
        select r.result -> 'details' -> 'differing' as differing
        from ops.job_runs as r
        where r.job = 'time_zones' and r.succeeded
        order by r.id desc
        limit 1
    ) as r
    cross join lateral jsonb_each(r.differing) as z (name, first_at);

    return query
    select
        'partition_maintenance_failed', count(*)::double precision, 'jobs',
        ops.health_status(count(*), 1, null), '{}'::jsonb
    from jsonb_array_elements(states) as s (value)
    where s.value ->> 'job' = 'partitions' and (s.value ->> 'failing')::boolean;
end;
$$;

comment on function ops.collect_health_figures(jsonb, double precision, timestamptz) is
'Return the figures of the system''s health, with a status for each.';
