-- rating.show_settings: return an organization's rating settings, for callers who may see its scores.
--
-- Refuses: 404 organization_not_found, also for scores that the caller may not see (rating.shows_scores).

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
'Return an organization''s rating settings, or the defaults, for callers who may see its scores.';

grant execute on function rating.show_settings(uuid) to app_read;
