-- payments.refuse_insufficient_funds: raise that a guarded account has a lower balance than a posting needs.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 409 insufficient_funds.

create or replace function payments.refuse_insufficient_funds(account_id uuid, needed_cents bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    the_balance_cents bigint;
begin
    select b.balance_cents into the_balance_cents
    from payments.balances as b
    where b.account_id = refuse_insufficient_funds.account_id;

    raise exception using errcode = 'PT409', message = 'insufficient_funds',
        detail = jsonb_build_object(
            'account_id', refuse_insufficient_funds.account_id, 'balance_cents', the_balance_cents,
            'needed_cents', refuse_insufficient_funds.needed_cents
        )::text;
end;
$$;

comment on function payments.refuse_insufficient_funds(uuid, bigint) is
'Raise that a guarded account has a lower balance than a posting needs.';
