-- rating.begin_period: start a new period for organizations whose period has lasted long enough and that have waiting
-- items.
--
-- Waits for batches that count in the old period, and excludes new ones meanwhile (rating.lock_periods). If that takes
-- longer than lock_timeout, the old period lasts a little longer. Concurrent calls start one period. Returns the number
-- of new periods.

create or replace function rating.begin_period(
    most integer default 100,
    at timestamptz default statement_timestamp()
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    due uuid[];
    begun integer;
begin
    due := array(
        select p.organization_id
        from rating.populations as p
        left join rating.settings as s on s.organization_id = p.organization_id
        where
            p.period_began_at <= begin_period.at - make_interval(secs => coalesce(s.period_seconds, 60))
            and exists (
                select from rating.dirty_items as d where d.organization_id = p.organization_id
            )
        order by p.period_began_at
        limit begin_period.most
    );

    if due = '{}' then
        return 0;
    end if;

    perform rating.lock_periods(organization_ids => due, alone => true);

    update rating.populations as p
    set period = p.period + 1, period_began_at = begin_period.at
    where
        p.organization_id = any(due)
        and p.period_began_at <= begin_period.at - make_interval(secs => coalesce(
            (select s.period_seconds from rating.settings as s where s.organization_id = p.organization_id), 60
        ));
    get diagnostics begun = row_count;

    return begun;
exception
    when lock_not_available then
        return 0;
end;
$$;

comment on function rating.begin_period(integer, timestamptz) is
'Start a new period for organizations whose period has lasted long enough and that have waiting items.';

grant execute on function rating.begin_period(integer, timestamptz) to service_role;
