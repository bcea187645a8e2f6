-- organizations.recorded_settings: return an organization's settings without the times that the system sets.
--
-- Internal: for the record of changes.

create or replace function organizations.recorded_settings(settings jsonb)
returns jsonb
language sql
immutable
return recorded_settings.settings - array['created_at', 'slug_changed_at'];

comment on function organizations.recorded_settings(jsonb) is
'Return an organization''s settings without the times that the system sets.';
