-- organizations.describe_renamed: write the search words of a person again, after a change of name or address.
--
-- Locks the person, so that a concurrent first booking is entered with the new name: it commits before this reads the
-- rows, or reads the name afterwards. The profile's lock comes before the person's, as in users.erase_profile.

create or replace function organizations.describe_renamed()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.lock_person(new.id);
    -- The trigger describe_customer computes the words.
    update organizations.customers as c
    set words = c.words
    where c.customer_id = new.id;
    return null;
end;
$$;

create or replace trigger describe_renamed after update of name, email, email_verified_at on users.profiles
for each row when (
    (old.name, old.email, old.email_verified_at) is distinct from (new.name, new.email, new.email_verified_at)
)
execute function organizations.describe_renamed();
