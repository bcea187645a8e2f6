-- rating.show_settings: how an organization wants its items rated, for those who may know.
--
-- Anyone where its scores are public, else its members. Refuses: 404 organization_not_found.

create or replace function rating.show_settings(organization_id uuid)
returns rating.settings
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not rating.shows_scores(organization_id => show_settings.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    return rating.effective_settings(organization_id => show_settings.organization_id);
end;
$$;

comment on function rating.show_settings(uuid) is
'An organization''s settings of ratings, or the defaults, for those who may know them.';

grant execute on function rating.show_settings(uuid) to app_read;
