-- rating.effective_settings: return an organization's rating settings, or the defaults if none are stored.

create or replace function rating.effective_settings(organization_id uuid)
returns rating.settings
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_settings rating.settings;
begin
    select s.* into the_settings
    from rating.settings as s
    where s.organization_id = effective_settings.organization_id;

    if not found then
        the_settings := row(
            effective_settings.organization_id,
            'bayes', true, 0.40, 0.30, 0.30, 5, 3, 2, 2, 0.5, 5, 2, '{20,30,40,50,60,70,80}', 0, null, 60, now(), 2000
        )::rating.settings;
    end if;
    return the_settings;
end;
$$;

comment on function rating.effective_settings(uuid) is
'Return an organization''s rating settings, or the defaults if none are stored.';

grant execute on function rating.effective_settings(uuid) to service_role;
