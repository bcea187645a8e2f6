-- organizations.refuse_blocked: refuse a customer whom the organization has blocked.
--
-- Staff who ask for the customer are refused too, and unblock them first. The caller holds the person's lock, which
-- organizations.block_customer also takes. Internal.
--
-- Refuses: 409 customer_blocked.

create or replace function organizations.refuse_blocked(organization_id uuid, customer_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select
        from organizations.customers as c
        where
            c.organization_id = refuse_blocked.organization_id
            and c.customer_id = refuse_blocked.customer_id
            and c.blocked_at is not null
    ) then
        raise exception using errcode = 'PT409', message = 'customer_blocked';
    end if;
end;
$$;

comment on function organizations.refuse_blocked(uuid, uuid) is
'Refuse a customer whom the organization has blocked.';
