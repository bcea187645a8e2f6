-- events.refuse_archived: refuse to create an event or a series in an archived organization.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 409 organization_archived.

create or replace function events.refuse_archived(organization organizations.organizations)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (refuse_archived.organization).archived_at is not null then
        raise exception using errcode = 'PT409', message = 'organization_archived';
    end if;
end;
$$;

comment on function events.refuse_archived(organizations.organizations) is
'Refuse to create an event or a series in an archived organization.';
