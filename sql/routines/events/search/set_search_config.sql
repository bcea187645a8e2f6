-- events.set_search_config: choose the text search configuration of an event's language.
--
-- A row trigger before an insert and before a change of language.

create or replace function events.set_search_config()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    new.search_config := (select l.search_config from ref.languages as l where l.code = new.language);
    return new;
end;
$$;

create or replace trigger set_search_config before insert or update of language on events.events
for each row execute function events.set_search_config();
