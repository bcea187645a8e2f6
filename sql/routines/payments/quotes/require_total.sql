-- payments.require_total: refuse a purchase whose total is not the one that the customer saw.
--
-- Null means that the request names no total.
--
-- Refuses: 409 price_changed, with the new quote and the methods that can pay it.

create or replace function payments.require_total(
    quote payments.quotes, total_cents bigint, methods events.payment_method[]
)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if require_total.total_cents <> (require_total.quote).total_cents then
        raise exception using errcode = 'PT409', message = 'price_changed',
            detail = (
                payments.quote_answer(require_total.quote)
                || jsonb_build_object('methods', to_jsonb(require_total.methods))
            )::text;
    end if;
end;
$$;

comment on function payments.require_total(payments.quotes, bigint, events.payment_method[]) is
'Refuse a purchase whose total is not the one that the customer saw.';
