-- rating.lock_periods: keep the periods of organizations as they are until this transaction ends, or, when it is to
-- change what batches count against, wait until no batch is counting.
--
-- Batches share the lock; whatever changes a period, the estimates of a population or ratings outside of a batch takes
-- it alone. Fair: who waits to have it alone is not overtaken by batches that come later. Taken before any row of
-- rating, in the order of the locks' numbers.

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
'Keep organizations'' periods as they are until the transaction ends; alone, to change them.';

grant execute on function rating.lock_periods(uuid[], boolean) to service_role;
