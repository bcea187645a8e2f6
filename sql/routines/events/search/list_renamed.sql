-- events.list_renamed: write the listings of a renamed organization, place or instructor again.
--
-- A row trigger after a change of a name or city. Writes the first 200 listings in this transaction, and queues the
-- others. Never waits for a listing that another transaction is writing, but queues it: that transaction may have read
-- the former name. So an organization with many events is renamed in a bounded time and without a deadlock.

create or replace function events.list_renamed()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    place text := tg_argv[0];
begin
    execute format(
        'insert into events.stale_listings (event_id)
        select l.event_id from events.listings as l where l.%I = $1 order by l.event_id',
        place
    ) using new.id;
    perform events.refresh_stale_listings(200);
    return null;
end;
$$;

create or replace trigger list_renamed after update of name on organizations.organizations
for each row when (old.name is distinct from new.name)
execute function events.list_renamed('organization_id');

create or replace trigger list_renamed after update of name, city, country on organizations.locations
for each row when ((old.name, old.city, old.country) is distinct from (new.name, new.city, new.country))
execute function events.list_renamed('location_id');

create or replace trigger list_renamed after update of name on organizations.instructors
for each row when (old.name is distinct from new.name)
execute function events.list_renamed('instructor_id');
