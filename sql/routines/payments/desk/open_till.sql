-- payments.open_till: give a location of an organization its own till, and return the till.
--
-- For accountants, admins and owners. Money that is taken there from now on enters this till. Without a location it
-- returns the organization's till, which exists from the first use. Repeating it returns the same.
--
-- Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request.

create or replace function payments.open_till(
    organization_id uuid, location_id uuid default null, currency text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        open_till.organization_id, 'accountant', 'admin', 'owner'
    );
    the_till payments.tills;
begin
    perform events.check_references(
        the_organization.id,
        jsonb_build_object('location_id', open_till.location_id, 'currency', open_till.currency)
    );

    insert into payments.tills (organization_id, location_id, currency, opened_by)
    values (
        the_organization.id, open_till.location_id, coalesce(open_till.currency, the_organization.currency),
        ops.caller_id()
    )
    on conflict on constraint one_till_per_place_and_currency do nothing;
    -- The caller may have lost the role while this waited for the same till.
    the_organization := events.require_organization(open_till.organization_id, 'accountant', 'admin', 'owner');

    select t.* into the_till
    from payments.tills as t
    where
        t.organization_id = the_organization.id
        and t.location_id is not distinct from open_till.location_id
        and t.currency = coalesce(open_till.currency, the_organization.currency);
    return to_jsonb(the_till) - 'opened_by';
end;
$$;

comment on function payments.open_till(uuid, uuid, text) is
'Give a location of an organization its own till, and return the till.';

grant execute on function payments.open_till(uuid, uuid, text) to authenticated, service_role;
