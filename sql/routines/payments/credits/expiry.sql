-- payments.expiry: return when credits of an organization expire that are valid for a number of days from this moment.
--
-- They are valid until the end of the last day in the organization's time zone. Null without a number of days.

create or replace function payments.expiry(organization_id uuid, days integer)
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select ops.day_end(statement_timestamp(), expiry.days, o.time_zone)
    from organizations.organizations as o
    where o.id = expiry.organization_id;
$$;

comment on function payments.expiry(uuid, integer) is
'Return when credits expire that are valid for a number of days from this moment.';
