-- payments.till_day: return the day of a till's report to which a movement counts now.
--
-- It is today in the organization's zone, or the day after the last closed day, if that is later. Exact under the lock
-- of payments.lock_till. Internal.

create or replace function payments.till_day(till payments.tills)
returns date
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select greatest(
        (statement_timestamp() at time zone o.time_zone)::date,
        (select max(c.day) + 1 from payments.till_closings as c where c.till_id = (till_day.till).id)
    )
    from organizations.organizations as o
    where o.id = (till_day.till).organization_id;
$$;

comment on function payments.till_day(payments.tills) is
'Return the day of a till''s report to which a movement counts now.';
