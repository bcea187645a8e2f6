-- staging.make_people: create the missing profiles of customers in valid rows.
--
-- A customer of several rows receives the name and address of the first. The address counts as verified, because the
-- operator who imports it vouches for it, until a token of the person replaces it
-- (docs/decisions/0016-verified-addresses.md).

create or replace function staging.make_people(customer_ids uuid[], emails text[], names text[])
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into users.profiles (id, email, email_verified_at, name)
    select distinct on (p.id)
        p.id, p.email, case when p.email is not null then statement_timestamp() end, p.name
    from unnest(make_people.customer_ids, make_people.emails, make_people.names)
        with ordinality as p (id, email, name, number)
    order by p.id, p.number
    on conflict do nothing;
$$;

comment on function staging.make_people(uuid[], text[], text[]) is
'Create the missing profiles of customers in valid rows.';
