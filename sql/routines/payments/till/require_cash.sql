-- payments.require_cash: refuse to take more cash from a till than it holds.
--
-- Exact under the lock of payments.lock_till, taken alone. Internal.
--
-- Refuses: 409 till_short, with the cash in the till.

create or replace function payments.require_cash(till payments.tills, amount_cents bigint)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_balance_cents bigint := payments.till_cash(require_cash.till);
begin
    if the_balance_cents < require_cash.amount_cents then
        raise exception using errcode = 'PT409', message = 'till_short',
            detail = jsonb_build_object(
                'balance_cents', the_balance_cents, 'needed_cents', require_cash.amount_cents
            )::text;
    end if;
end;
$$;

comment on function payments.require_cash(payments.tills, bigint) is
'Refuse to take more cash from a till than it holds.';
