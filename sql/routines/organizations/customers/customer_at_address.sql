-- organizations.customer_at_address: return the customer of an organization with an e-mail address, or null.
--
-- A walk-in with this address as staff entered it, or a person with this verified address. Without regard to case.
-- Internal.

create or replace function organizations.customer_at_address(organization_id uuid, address text)
returns uuid
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select c.customer_id
    from organizations.customer_words as w
    inner join organizations.customers as c
        on c.organization_id = w.organization_id and c.customer_id = w.customer_id
    inner join users.profiles as p on p.id = c.customer_id and p.erased_at is null
    where
        w.organization_id = customer_at_address.organization_id
        and w.word = left(lower(customer_at_address.address), 100) collate "C"
        and lower(coalesce(c.email, users.verified_address(p))) = lower(customer_at_address.address)
    order by c.walk_in, c.customer_id
    limit 1;
$$;

comment on function organizations.customer_at_address(uuid, text) is
'Return the customer of an organization with an e-mail address, or null.';
