-- payments.buy_package: start the purchase of a package by card or TWINT.
--
-- The customer receives the credits once Stripe reports the payment. The same key returns the same purchase. A pass is
-- taxed now, in its organization's country; wallet money is taxed when it is spent. The request to Stripe follows
-- outside any transaction; the sweep sends it if that did not happen. Returns the purchase with its payment.
--
-- Refuses: 400 idempotency_key_required, 401 unauthenticated, 402 payment_required, 404 package_not_found,
-- 409 customer_blocked, 409 price_changed, 422 idempotency_conflict.

create or replace function payments.buy_package(
    package_id uuid, payment_method events.payment_method, idempotency_key text, total_cents bigint default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_caller_id uuid := ops.caller_id();
    the_package payments.packages;
    the_quote payments.quotes;
    methods events.payment_method[];
    the_purchase_id uuid := ops.uuid_v7();
    the_first_answer text;
begin
    if the_caller_id is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if buy_package.idempotency_key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required';
    end if;

    the_first_answer := ops.first_answer(
        'buy_package', buy_package.idempotency_key,
        jsonb_build_array(buy_package.package_id, buy_package.payment_method)
        || case when buy_package.total_cents is null then '[]' else jsonb_build_array(buy_package.total_cents) end
    );
    if the_first_answer is not null then
        return case
            when starts_with(the_first_answer, '{') then payments.purchase_first_answer(
                the_first_answer::jsonb || jsonb_build_object('customer_id', the_caller_id)
            )
            else payments.purchase_answer(ops.answered_id(the_first_answer))
        end;
    end if;

    select p.* into the_package from payments.packages as p where p.id = buy_package.package_id and p.active;
    if not found then
        raise exception using errcode = 'PT404', message = 'package_not_found';
    end if;
    perform events.ensure_customer(the_caller_id, null, the_package.organization_id);
    perform events.lock_customer(the_caller_id, the_package.organization_id);

    the_quote := payments.quote_package(the_package, the_caller_id);
    methods := payments.payment_methods(the_quote);
    perform payments.require_total(the_quote, buy_package.total_cents, methods);
    if (buy_package.payment_method = any (methods)) is not true then
        raise exception using errcode = 'PT402', message = 'payment_required',
            detail = (
                payments.quote_answer(the_quote) || jsonb_build_object('methods', to_jsonb(methods))
            )::text;
    end if;

    insert into payments.purchases (
        id, package_id, organization_id, customer_id, method, kind, credits, bonus, valid_days, categories, net_cents,
        tax_cents, tax_bps, tax_country, amount_cents, currency, fee_cents
    )
    values (
        the_purchase_id, the_package.id, the_package.organization_id, the_caller_id, buy_package.payment_method,
        the_package.kind, the_package.amount, the_package.bonus, the_package.valid_days, the_package.categories,
        the_quote.net_cents, the_quote.tax_cents, the_quote.tax_bps, the_quote.tax_country, the_quote.total_cents,
        the_package.currency,
        payments.package_fee(the_package, the_quote)
    );

    insert into payments.intents (id, purchase_id, organization_id, customer_id, method, amount_cents, currency)
    select p.id, p.id, p.organization_id, p.customer_id, p.method, p.amount_cents, p.currency
    from payments.purchases as p
    where p.id = the_purchase_id;
    return ops.keep_answer(
        'buy_package', buy_package.idempotency_key, payments.purchase_answer(the_purchase_id)
    );
end;
$$;

comment on function payments.buy_package(uuid, events.payment_method, text, bigint) is
'Start the purchase of a package by card or TWINT.';

grant execute on function payments.buy_package(uuid, events.payment_method, text, bigint)
to authenticated, service_role;
