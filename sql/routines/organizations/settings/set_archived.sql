-- organizations.set_archived: archive an organization, or open it again.
--
-- An archived organization takes no new bookings, holds and waitlist entries, gets no new events, and its waitlists
-- make no offers. Existing bookings and payments go on, and everything stays readable. For owners, and for the service.
-- Setting the current state again changes nothing. Records the change. Returns the organization.
--
-- Locks the organization's row, then the inventories of its upcoming events in id order. A concurrent booking that has
-- locked its event first commits first. A later one reads the changed terms and is refused.
--
-- Refuses: 404 organization_not_found, 403 forbidden.

create or replace function organizations.set_archived(organization_id uuid, archived boolean)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := organizations.lock_organization(
        set_archived.organization_id, 'owner'
    );
begin
    if (the_organization.archived_at is not null) is distinct from set_archived.archived then
        update organizations.organizations as o
        set archived_at = case when set_archived.archived then statement_timestamp() end
        where o.id = the_organization.id;

        perform events.set_terms_archived(the_organization.id, set_archived.archived);
        perform organizations.record_change(
            the_organization.id,
            case when set_archived.archived then 'organization.archived' else 'organization.reopened' end,
            the_organization.id,
            jsonb_build_object('archived', not set_archived.archived),
            jsonb_build_object('archived', set_archived.archived)
        );
    end if;
    return organizations.settings_answer(the_organization.id);
end;
$$;

comment on function organizations.set_archived(uuid, boolean) is
'Archive an organization, or open it again. Returns the organization.';

grant execute on function organizations.set_archived(uuid, boolean) to authenticated, service_role;
