-- rating.events_per_day: return how many rating events of one voter an organization accepts in a day.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function rating.events_per_day(organization_id uuid)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce(
        (
            select s.events_per_voter_and_day
            from rating.settings as s
            where s.organization_id = events_per_day.organization_id
        ),
        2000
    );
end;
$$;

comment on function rating.events_per_day(uuid) is
'Return how many rating events of one voter an organization accepts in a day.';
