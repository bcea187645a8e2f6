-- payments.sell_package: take the price of a package into a till, and grant the customer its credits.
--
-- For front desk, accountants, admins and owners of the organization, for its customers. `method` is cash or terminal.
-- Works once per caller and key. Locks the customer, the wallet, then the till. Returns the purchase.
--
-- Refuses: 400 idempotency_key_required, 404 customer_not_found, 404 package_not_found, 409 customer_blocked,
-- 409 price_changed, 422 idempotency_conflict, 422 invalid_request.

create or replace function payments.sell_package(
    package_id uuid,
    customer_id uuid,
    method text,
    idempotency_key text,
    location_id uuid default null,
    total_cents bigint default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_package payments.packages;
    the_quote payments.quotes;
    the_purchase_id uuid := ops.uuid_v7();
    the_first_answer text;
begin
    perform payments.require_desk_key(sell_package.idempotency_key);
    perform payments.require_desk_method(sell_package.method);

    the_first_answer := ops.first_answer(
        'sell_package', sell_package.idempotency_key,
        jsonb_build_array(
            sell_package.package_id, sell_package.customer_id, sell_package.method, sell_package.location_id,
            sell_package.total_cents
        )
    );
    perform events.lock_person(sell_package.customer_id);

    select p.* into the_package from payments.packages as p where p.id = sell_package.package_id and p.active;
    if not found or not payments.takes_money(the_package.organization_id) then
        raise exception using errcode = 'PT404', message = 'package_not_found';
    end if;
    if the_first_answer is not null then
        return the_first_answer::jsonb || jsonb_build_object('customer_id', sell_package.customer_id);
    end if;
    perform organizations.require_customer(the_package.organization_id, sell_package.customer_id);
    perform organizations.refuse_blocked(the_package.organization_id, sell_package.customer_id);
    perform events.check_references(
        the_package.organization_id, jsonb_build_object('location_id', sell_package.location_id)
    );

    the_quote := payments.quote_package(the_package, sell_package.customer_id);
    perform payments.require_total(
        the_quote, sell_package.total_cents, array['cash', 'terminal']::events.payment_method[]
    );

    insert into payments.purchases (
        id, package_id, organization_id, customer_id, method, kind, credits, bonus, valid_days, categories, net_cents,
        tax_cents, tax_bps, tax_country, amount_cents, currency, fee_cents
    )
    values (
        the_purchase_id, the_package.id, the_package.organization_id, sell_package.customer_id,
        sell_package.method::events.payment_method, the_package.kind, the_package.amount, the_package.bonus,
        the_package.valid_days, the_package.categories, the_quote.net_cents, the_quote.tax_cents, the_quote.tax_bps,
        the_quote.tax_country, the_quote.total_cents, the_package.currency,
        payments.package_fee(the_package, the_quote)
    );
    perform payments.fulfil_purchase(the_purchase_id);
    perform payments.settle_at_desk(
        kind => 'package', subject_id => the_purchase_id, organization_id => the_package.organization_id,
        location_id => sell_package.location_id, customer_id => sell_package.customer_id,
        method => sell_package.method, amount_cents => the_quote.total_cents::bigint, currency => the_package.currency
    );
    return ops.keep_answer(
        'sell_package', sell_package.idempotency_key, payments.purchase_answer(the_purchase_id)
    );
end;
$$;

comment on function payments.sell_package(uuid, uuid, text, text, uuid, bigint) is
'Take the price of a package into a till, and grant the customer its credits.';

grant execute on function payments.sell_package(uuid, uuid, text, text, uuid, bigint) to authenticated, service_role;
