-- payments.spending_at: return the money that a customer spent at an organization, in one currency.
--
-- For the customer and for staff of the organization; zero for everyone else, as if they saw no booking. The rule is
-- that of payments.spending.

create or replace function payments.spending_at(customer_id uuid, organization_id uuid, currency text)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if
        (spending_at.customer_id = ops.caller_id() and not users.is_erased(spending_at.customer_id)) is not true
        and not organizations.caller_is(
            spending_at.organization_id, 'front_desk', 'accountant', 'viewer', 'editor', 'admin', 'owner'
        )
        and not ops.caller_is_owner()
    then
        return 0;
    end if;

    return (
        select coalesce(sum(s.amount_cents), 0)
        from payments.spending(spending_at.customer_id) as s
        where s.organization_id = spending_at.organization_id and s.currency = spending_at.currency
    );
end;
$$;

comment on function payments.spending_at(uuid, uuid, text) is
'Return the money that a customer spent at an organization, in one currency.';

grant execute on function payments.spending_at(uuid, uuid, text) to app_read;
