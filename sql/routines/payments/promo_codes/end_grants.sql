-- payments.end_grants: end the credits that bookings' promo codes granted, because the bookings ended or were refunded.
--
-- The remaining credits lapse to the organization. The spent part is deducted from the refund, or owed; so the customer
-- has paid for it, and keeps what returns of it later. Each grant ends once. One statement for all bookings, except one
-- per 1000 postings. Locks the wallets. Internal.

create or replace function payments.end_grants(booking_ids uuid[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_wallet_ids uuid[] := array(
        select distinct l.account_id
        from payments.credit_lots as l
        where l.booking_id = any (end_grants.booking_ids) and l.spent_cents is null
    );
    the_postings jsonb;
begin
    if the_wallet_ids = '{}' then
        return;
    end if;
    perform payments.lock_wallets(the_wallet_ids);

    with granted as (
        select l.id, l.remaining, l.lapsed
        from payments.credit_lots as l
        where l.booking_id = any (end_grants.booking_ids) and l.spent_cents is null
    ),

    ended as (
        update payments.credit_lots as l
        set spent_cents = l.amount - l.lapsed - l.remaining, remaining = 0, lapsed = l.lapsed + g.remaining
        from granted as g
        where l.id = g.id
        returning l.id, l.account_id, l.organization_id, l.currency, g.remaining, g.lapsed
    )

    select jsonb_agg(
        jsonb_build_object(
            'kind', 'credits_expired',
            'idempotency_key', 'credits_expired:' || e.id || ':' || e.lapsed,
            'reference_type', 'credits',
            'reference_id', e.id,
            'account_ids', jsonb_build_array(
                e.account_id, payments.account('organization', e.organization_id, 'receivable', e.currency)
            ),
            'amounts_cents', jsonb_build_array(e.remaining, -e.remaining)
        )
        order by e.id
    )
    into the_postings
    from ended as e
    where e.remaining > 0;

    for part in 0 .. (coalesce(jsonb_array_length(the_postings), 0) - 1) / 1000 loop
        exit when the_postings is null;
        perform payments.post_transactions(
            (
                select jsonb_agg(p.posting)
                from jsonb_array_elements(the_postings) with ordinality as p (posting, number)
                where p.number > part * 1000 and p.number <= part * 1000 + 1000
            )
        );
    end loop;
end;
$$;

comment on function payments.end_grants(uuid[]) is
'End the credits that bookings'' promo codes granted, because the bookings ended or were refunded.';
