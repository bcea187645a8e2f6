-- organizations.set_tax_rate: set an organization's own tax rate for a category of events from a day on.
--
-- The rate applies in the organization's country to what is quoted from that day on; quotes and invoices keep theirs.
-- `standard` is the rate of all categories without a rate of their own. A null rate means the country's rate again.
-- Setting the rate of the same category and day again replaces it. The day must not have passed in the organization's
-- time zone. For accountants, admins and owners, and for the service. Records the change. Locks the organization's row.
--
-- Refuses: 404 organization_not_found, 403 forbidden, 409 too_many_places, 422 invalid_request.

create or replace function organizations.set_tax_rate(
    organization_id uuid, category text, valid_from date, rate_bps integer default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := organizations.lock_organization(
        set_tax_rate.organization_id, 'accountant', 'admin', 'owner'
    );
    the_day date := (statement_timestamp() at time zone the_organization.time_zone)::date;
    former organizations.tax_rates;
    the_rate organizations.tax_rates;
begin
    if (set_tax_rate.valid_from between the_day and the_day + 3660) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'A tax rate starts today or later, within ten years: earlier quotes keep their rate.'
            )::text;
    end if;
    if
        set_tax_rate.category <> 'standard'
        and not exists (select from ref.event_categories as c where c.slug = set_tax_rate.category)
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'There is no such category of events.')::text;
    end if;
    perform organizations.limit_places(
        (select count(*) from organizations.tax_rates as r where r.organization_id = the_organization.id)
    );

    select r.* into former
    from organizations.tax_rates as r
    where
        r.organization_id = the_organization.id
        and r.category = set_tax_rate.category
        and r.valid_from = set_tax_rate.valid_from;

    insert into organizations.tax_rates as r (organization_id, category, valid_from, rate_bps)
    values (the_organization.id, set_tax_rate.category, set_tax_rate.valid_from, set_tax_rate.rate_bps)
    on conflict on constraint one_tax_rate_from_a_day do update
    set rate_bps = excluded.rate_bps
    returning r.* into the_rate;

    perform organizations.record_change(
        the_organization.id, case when former.id is null then 'tax_rate.created' else 'tax_rate.changed' end,
        the_rate.id, case when former.id is not null then to_jsonb(former) end, to_jsonb(the_rate)
    );
    return to_jsonb(the_rate);
end;
$$;

comment on function organizations.set_tax_rate(uuid, text, date, integer) is
'Set an organization''s own tax rate for a category of events from a day on.';

grant execute on function organizations.set_tax_rate(uuid, text, date, integer) to authenticated, service_role;
