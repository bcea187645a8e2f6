-- events.set_terms_archived: close or open the upcoming events of an organization that is archived or opened again.
--
-- Locks the events' inventories in id order, so that a booking in progress commits first or sees the change. Called by
-- organizations.set_archived, which has checked the caller and holds the lock of the organization.

create or replace function events.set_terms_archived(organization_id uuid, archived boolean)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform
    from events.inventory as i
    where i.event_id in (
        select t.event_id
        from events.terms as t
        where t.organization_id = set_terms_archived.organization_id and t.ends_at > statement_timestamp()
    )
    order by i.event_id
    for no key update;

    update events.terms as t
    set archived = set_terms_archived.archived
    where
        t.organization_id = set_terms_archived.organization_id
        and t.ends_at > statement_timestamp()
        and t.archived <> set_terms_archived.archived;
end;
$$;

comment on function events.set_terms_archived(uuid, boolean) is
'Close or open the upcoming events of an organization that is archived or opened again.';
