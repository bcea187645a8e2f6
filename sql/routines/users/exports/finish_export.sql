-- users.finish_export: record that the file of an export is stored. Its links end after 24 hours.
--
-- Only the latest attempt counts. An erased person has no request any more. For the service. Returns whether it
-- counted.

create or replace function users.finish_export(
    export_id uuid, attempt integer, size_bytes bigint, at timestamptz default statement_timestamp()
)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update users.exports as e
    set
        status = 'ready', lease_until = null, ready_at = finish_export.at, size_bytes = finish_export.size_bytes,
        expires_at = finish_export.at + interval '24 hours'
    where e.id = finish_export.export_id and e.status = 'requested' and e.attempts = finish_export.attempt;
    return found;
end;
$$;

comment on function users.finish_export(uuid, integer, bigint, timestamptz) is
'Record that the file of an export is stored; returns whether it counted.';

grant execute on function users.finish_export(uuid, integer, bigint, timestamptz) to service_role;
