-- organizations.describe_customer: compute the search words of a customer before the row is written.
--
-- The calling transaction holds the person's lock (organizations.enter_customer, users.describe_renamed), so the name
-- and the address that this reads are the latest ones.

create or replace function organizations.describe_customer()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    select
        organizations.customer_words(p.name, coalesce(new.email, users.verified_address(p)), new.phone, new.tags),
        left(events.folded(coalesce(p.name, '')), 200)
    into new.words, new.sort_name
    from users.profiles as p
    where p.id = new.customer_id;
    return new;
end;
$$;

create or replace trigger describe_customer before insert or update on organizations.customers
for each row execute function organizations.describe_customer();
