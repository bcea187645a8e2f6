-- payments.deduct_spent_grants: count spent credits of promo codes as paid by the unrefunded price of ended bookings.
--
-- The sale that used the credits has a share of the platform. So the platform returns its share of the deducted part of
-- the price to the organization, if its settings return the share with refunds: an amount has one share. The part that
-- exceeds the price is owed (payments.charge_spent_grants).
--
-- The caller has ended the credits (payments.end_grants), and has locked the wallets. Repeating it changes nothing. One
-- statement for all bookings, except one per 1000 postings. Internal.

create or replace function payments.deduct_spent_grants(booking_ids uuid[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_postings jsonb;
begin
    with due as (
        select s.booking_id, d.cents, payments.fee_returned(s, d.cents - s.deducted_cents) as fee_cents
        from payments.sales as s
        cross join lateral (
            select least(payments.spent_grant_cents(s.booking_id), s.amount_cents - s.refunded_cents) as cents
        ) as d
        where
            s.booking_id in (
                select l.booking_id
                from payments.credit_lots as l
                where l.booking_id = any (deduct_spent_grants.booking_ids)
            )
            and d.cents > s.deducted_cents
    ),

    deducted as (
        update payments.sales as s
        set deducted_cents = d.cents, refunded_fee_cents = s.refunded_fee_cents + d.fee_cents
        from due as d
        where s.booking_id = d.booking_id
        returning s.booking_id, s.organization_id, s.currency, s.deducted_cents, d.fee_cents
    )

    select jsonb_agg(
        jsonb_build_object(
            'kind', 'promotion_share',
            'idempotency_key', 'promotion_share:' || d.booking_id || ':' || d.deducted_cents,
            'reference_type', 'booking',
            'reference_id', d.booking_id,
            'account_ids', jsonb_build_array(
                payments.account('platform', null, 'revenue', d.currency),
                payments.account('organization', d.organization_id, 'receivable', d.currency)
            ),
            'amounts_cents', jsonb_build_array(d.fee_cents, -d.fee_cents)
        )
        order by d.booking_id
    )
    into the_postings
    from deducted as d
    where d.fee_cents > 0;

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

comment on function payments.deduct_spent_grants(uuid[]) is
'Count spent credits of promo codes as paid by the unrefunded price of ended bookings.';
