-- rating.show_settings: how an organization wants its items rated, for those who may know.
--
-- Anyone where its scores are public, else its members. Refuses: 404 organization_not_found.

create or replace function rating.show_settings(organization_id uuid)
returns rating.settings
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    the_settings rating.settings := rating.settings_of(organization_id => show_settings.organization_id);
begin
    if
        not exists (select from organizations.organizations as o where o.id = show_settings.organization_id)
        or not (
            the_settings.public
            or ops.caller_is_service()
            or show_settings.organization_id in (select public.user_orgs())
        )
    then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    return the_settings;
end;
$$;

comment on function rating.show_settings(uuid) is
'An organization''s settings of ratings, or the defaults, for those who may know them.';

grant execute on function rating.show_settings(uuid) to app_read;
