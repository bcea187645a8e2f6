-- rating.lock_periods: lock the rating periods of organizations until the transaction ends.
--
-- Batches share the lock, which keeps the period unchanged. A transaction that changes a period, a population's
-- estimates, or ratings outside a batch takes it exclusively (`alone`). It then waits until no batch is counting. The
-- lock is fair: later batches do not overtake a waiting exclusive request. Taken before any row of rating, in the order
-- of the lock numbers.

create or replace function rating.lock_periods(organization_ids uuid[], alone boolean default false)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    lock_number bigint;
begin
    for lock_number in
        select distinct hashtextextended('rating.period', 0) # hashtextextended(o.id::text, 0) as number
        from unnest(lock_periods.organization_ids) as o (id)
        order by number
    loop
        if lock_periods.alone then
            perform pg_advisory_xact_lock(lock_number);
        else
            perform pg_advisory_xact_lock_shared(lock_number);
        end if;
    end loop;
end;
$$;

comment on function rating.lock_periods(uuid[], boolean) is
'Lock the rating periods of organizations until the transaction ends. Exclusive with `alone`, to change them.';

grant execute on function rating.lock_periods(uuid[], boolean) to service_role;
