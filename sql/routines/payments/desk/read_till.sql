-- payments.read_till: return the report of a till for a day: the stored one of a closed day, or the figures so far.
--
-- For front desk, accountants, admins and owners. A closing covers every day since the former one. Without `day`, the
-- report of the current day. Money for a place without its own till is in the organization's till. Returns all zeros
-- before the first use. Locks nothing.
--
-- Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request, for a day in the future.

create or replace function payments.read_till(
    organization_id uuid, location_id uuid default null, day date default null, currency text default null
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := payments.require_desk(
        read_till.organization_id, read_till.location_id
    );
    the_till payments.tills;
    the_closing payments.till_closings;
    the_day date;
begin
    select t.* into the_till
    from payments.tills as t
    where
        t.organization_id = the_organization.id
        and t.currency = coalesce(read_till.currency, the_organization.currency)
        and (t.location_id = read_till.location_id or t.location_id is null)
    order by t.location_id is null
    limit 1;
    if not found then
        the_till.organization_id := the_organization.id;
        the_till.currency := coalesce(read_till.currency, the_organization.currency);
    end if;

    the_day := payments.till_day(the_till);
    if read_till.day > the_day then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', format('The last day with a report is %s.', the_day))::text;
    end if;

    select c.* into the_closing
    from payments.till_closings as c
    where c.till_id = the_till.id and c.day >= coalesce(read_till.day, the_day)
    order by c.day
    limit 1;
    if not found then
        the_closing := payments.till_figures(the_till, coalesce(read_till.day, the_day));
    end if;
    return payments.till_report(the_till, the_closing);
end;
$$;

comment on function payments.read_till(uuid, uuid, date, text) is
'Return the report of a till for a day: the stored one of a closed day, or the figures so far.';

grant execute on function payments.read_till(uuid, uuid, date, text) to authenticated, service_role;
