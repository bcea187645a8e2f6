-- payments.use_wallet: take money from the lots of a wallet for a booking, first-expiring first.
--
-- Frozen lots do not count, nor do expired ones, even before expire_credits has emptied them. The caller has locked the
-- wallet and posts the same amount. Internal.
--
-- Refuses: 409 insufficient_funds.

create or replace function payments.use_wallet(
    account_id uuid, booking_id uuid, amount_cents bigint, purpose text default 'price'
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_live_cents bigint := payments.spendable_cents(use_wallet.account_id);
begin
    if the_live_cents < use_wallet.amount_cents then
        raise exception using errcode = 'PT409', message = 'insufficient_funds',
            detail = jsonb_build_object(
                'account_id', use_wallet.account_id, 'balance_cents', the_live_cents,
                'needed_cents', use_wallet.amount_cents
            )::text;
    end if;

    with live as (
        select
            l.id,
            l.remaining,
            sum(l.remaining) over (order by l.expires_at, l.id) - l.remaining as earlier
        from payments.credit_lots as l
        where
            l.account_id = use_wallet.account_id
            and l.remaining > 0
            and l.expires_at > statement_timestamp()
            and l.frozen_at is null
    ),
    taken as (
        update payments.credit_lots as l
        set remaining = l.remaining - least(v.remaining, use_wallet.amount_cents - v.earlier)
        from live as v
        where l.id = v.id and v.earlier < use_wallet.amount_cents
        returning l.id, least(v.remaining, use_wallet.amount_cents - v.earlier) as amount
    )

    insert into payments.credit_uses as u (booking_id, lot_id, purpose, amount)
    select use_wallet.booking_id, t.id, use_wallet.purpose, t.amount
    from taken as t
    on conflict on constraint credit_uses_pkey do update
    set amount = u.amount + excluded.amount;
end;
$$;

comment on function payments.use_wallet(uuid, uuid, bigint, text) is
'Take money from the lots of a wallet for a booking, first-expiring first.';
