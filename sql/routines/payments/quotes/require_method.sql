-- payments.require_method: refuse a payment method that cannot pay for seats, with their price and possible methods.
--
-- A wallet is not refused here, nor a pass where the organization has passes: their use refuses them with the balance.
--
-- Refuses: 402 payment_required, with payments.quote_answer and methods.

create or replace function payments.require_method(
    quote payments.quotes, method events.payment_method, methods events.payment_method[]
)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if
        require_method.method = any (require_method.methods)
        or require_method.method = 'wallet'
        or (
            require_method.method = 'pass'
            and exists (
                select
                from payments.credit_lots as l
                where l.organization_id = (require_method.quote).organization_id and l.kind = 'pass'
            )
        )
    then
        return;
    end if;

    raise exception using errcode = 'PT402', message = 'payment_required',
        detail = (
            payments.quote_answer(require_method.quote)
            || jsonb_build_object('methods', to_jsonb(require_method.methods))
        )::text;
end;
$$;

comment on function payments.require_method(payments.quotes, events.payment_method, events.payment_method[]) is
'Refuse a payment method that cannot pay for seats, with their price and the possible methods.';
