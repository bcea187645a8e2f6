-- events.resolve_payment_method: return the payment method of a booking.
--
-- The method is none if the seats are free or a promo code makes them free, and comp if staff give them away.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- Seats that cost money need a method that can take the amount. Otherwise the refusal contains the price and the
-- methods.
--
-- Refuses: 400 idempotency_key_required, if a request that moves money has no key; 402 payment_required, with
-- payments.quote_answer and methods; 403 forbidden, if a caller other than staff gives seats away;
-- 409 price_changed, if `total_cents` is not the total; 409 promo_code_not_valid, if there is nothing to pay.

create or replace function events.resolve_payment_method(
    terms events.terms,
    quote payments.quotes,
    seats integer,
    payment_method events.payment_method,
    idempotency_key text,
    total_cents bigint
)
returns events.payment_method
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    methods events.payment_method[];
begin
    if
        (resolve_payment_method.quote).promo_code_id is not null
        and (resolve_payment_method.payment_method in ('comp', 'pass') or (resolve_payment_method.quote).list_cents = 0)
    then
        raise exception using errcode = 'PT409', message = 'promo_code_not_valid',
            detail = jsonb_build_object('reason', 'nothing_to_pay')::text;
    end if;

    if resolve_payment_method.payment_method = 'comp' then
        if not events.is_staff((resolve_payment_method.terms).organization_id) then
            raise exception using errcode = 'PT403', message = 'forbidden',
                detail = jsonb_build_object(
                    'detail', 'Only staff of the organization may give seats away. Choose another `payment_method`.'
                )::text;
        end if;
        return 'comp';
    end if;

    methods := payments.payment_methods(
        resolve_payment_method.quote, (resolve_payment_method.terms).event_id, resolve_payment_method.seats
    );
    -- A seat that is paid with a pass has no price.
    if resolve_payment_method.payment_method is distinct from 'pass' then
        perform payments.require_total(resolve_payment_method.quote, resolve_payment_method.total_cents, methods);
    end if;

    if (resolve_payment_method.quote).list_cents = 0 then
        return 'none';
    end if;

    if resolve_payment_method.idempotency_key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required',
            detail = jsonb_build_object(
                'detail', 'Send an Idempotency-Key header with a request that moves money, so that a retry never pays'
                ' twice.'
            )::text;
    end if;

    if (resolve_payment_method.quote).total_cents = 0 then
        return 'none';
    end if;

    perform payments.require_method(
        resolve_payment_method.quote, resolve_payment_method.payment_method, methods
    );
    return resolve_payment_method.payment_method;
end;
$$;

comment on function events.resolve_payment_method(
    events.terms, payments.quotes, integer, events.payment_method, text, bigint
) is
'Return the payment method of a booking, or refuse it with its price and the possible methods.';
