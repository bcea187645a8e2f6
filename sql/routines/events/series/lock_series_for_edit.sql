-- events.lock_series_for_edit: lock a series for an edit, and return it.
--
-- The occurrences are computed outside the database, between this call and events.edit_series or events.split_series,
-- in one transaction. An archived series cannot be edited.
--
-- Refuses: 404 series_not_found, 403 forbidden, 409 series_archived.

create or replace function events.lock_series_for_edit(series_id uuid)
returns events.series
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_series events.series := events.require_series(lock_series_for_edit.series_id, 'editor', 'admin', 'owner');
begin
    if the_series.status = 'archived' then
        raise exception using errcode = 'PT409', message = 'series_archived';
    end if;
    return the_series;
end;
$$;

comment on function events.lock_series_for_edit(uuid) is
'Lock a series for an edit by its organization''s staff, and return it.';

grant execute on function events.lock_series_for_edit(uuid) to authenticated, service_role;
