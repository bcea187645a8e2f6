-- staging.make_people: the customers of rows that are in order get a profile, if they have none.
--
-- Who stands in several rows gets the name and address of the first.

create or replace function staging.make_people(customer_ids uuid[], emails text[], names text[])
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into users.profiles (id, email, name)
    select distinct on (p.id) p.id, p.email, p.name
    from unnest(make_people.customer_ids, make_people.emails, make_people.names)
        with ordinality as p (id, email, name, number)
    order by p.id, p.number
    on conflict do nothing;
$$;

comment on function staging.make_people(uuid[], text[], text[]) is 'Make the profiles of customers who have none.';
