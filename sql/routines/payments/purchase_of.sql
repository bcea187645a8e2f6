-- payments.purchase_of: a purchase with its payment, for whoever made it and for the staff who keep the money.
--
-- Refuses: 404 purchase_not_found.

create or replace function payments.purchase_of(purchase_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from payments.purchases as p
        where
            p.id = purchase_of.purchase_id
            and (
                p.customer_id = ops.caller_id()
                or organizations.caller_is(p.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
            )
    ) then
        raise exception using errcode = 'PT404', message = 'purchase_not_found';
    end if;
    return payments.purchase_answer(purchase_of.purchase_id);
end;
$$;

comment on function payments.purchase_of(uuid) is 'A purchase with its payment.';

grant execute on function payments.purchase_of(uuid) to authenticated, service_role;
