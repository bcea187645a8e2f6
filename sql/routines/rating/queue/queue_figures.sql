-- rating.queue_figures: return the figures of the rating queue for the health checks.
--
-- The age is that of the longest waiting item, leased or not. Scores that a pause delays are not waiting yet. Failing
-- items have a separate figure. Internal.

create or replace function rating.queue_figures(at timestamptz default statement_timestamp())
returns table (name text, value double precision, unit text, status text, details jsonb)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select f.*
    from (
        select min(d.marked_at) as oldest
        from rating.dirty_items as d
        where d.attempts = 0
    ) as d
    cross join lateral ops.age_figure('rating_queue_age_seconds', d.oldest, 300, 600, queue_figures.at) as f
    union all
    select
        'rating_items_failing', count(*)::double precision, 'items', ops.health_status(count(*), 1, 100),
        coalesce(jsonb_object_agg(d.item_id, d.last_error) filter (where d.place <= 10), '{}')
    from (
        select d.item_id, left(d.last_error, 200) as last_error, row_number() over (order by d.marked_at) as place
        from rating.dirty_items as d
        where d.attempts > 0
    ) as d;
$$;

comment on function rating.queue_figures(timestamptz) is
'Return the figures of the rating queue for the health checks.';
