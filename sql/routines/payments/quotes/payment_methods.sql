-- payments.payment_methods: return the methods that can pay a quote, for seats or for a package.
--
-- Card and TWINT take amounts between Stripe's least and largest charge, and TWINT takes Swiss francs only. Seats can
-- also be paid from a wallet of that currency with enough money, with enough units of matching passes, and by invoice
-- with the organization's permission. Staff who may take money at the desk can also be paid in cash or by the
-- organizer's terminal. A pass pays no price that a promo code has reduced. Nothing is listed if there is
-- nothing to pay. Locks nothing, so a wallet may have less money a moment later.

create or replace function payments.payment_methods(
    quote payments.quotes, event_id uuid default null, seats integer default null
)
returns events.payment_method[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(m.method::events.payment_method order by m.place), '{}')
    from (
        select
            (payment_methods.quote).total_cents as cents,
            payments.can_be_charged((payment_methods.quote).total_cents, (payment_methods.quote).currency) as stripe,
            payment_methods.event_id is not null as is_seats
        where (payment_methods.quote).total_cents > 0
        offset 0
    ) as q
    -- `offset 0` spares the look at wallets and passes if there is nothing to pay.
    cross join lateral (
        values
        (1, 'card', q.stripe),
        (2, 'twint', q.stripe and (payment_methods.quote).currency = 'CHF'),
        (
            3, 'wallet',
            q.is_seats and exists (
                select
                from payments.accounts as a
                where
                    a.owner_kind = 'user'
                    and a.owner_id = (payment_methods.quote).customer_id
                    and a.type = 'credits'
                    and a.currency = (payment_methods.quote).currency
                    and a.organization_id = (payment_methods.quote).organization_id
                    and payments.spendable_cents(a.id) >= q.cents
            )
        ),
        (
            4, 'pass',
            q.is_seats
            and (payment_methods.quote).promo_code_id is null
            and (
                select coalesce(sum(l.remaining), 0)
                from payments.usable_passes(
                    (payment_methods.quote).customer_id, (payment_methods.quote).organization_id,
                    payment_methods.event_id
                ) as l
            ) >= payment_methods.seats
        ),
        (
            5, 'invoice',
            q.is_seats and exists (
                select
                from organizations.payout_settings as s
                where s.organization_id = (payment_methods.quote).organization_id and s.invoices_allowed
            )
        ),
        (6, 'cash', q.is_seats and payments.takes_money((payment_methods.quote).organization_id)),
        (7, 'terminal', q.is_seats and payments.takes_money((payment_methods.quote).organization_id))
    ) as m (place, method, is_possible)
    where m.is_possible;
$$;

comment on function payments.payment_methods(payments.quotes, uuid, integer) is
'Return the methods that can pay a quote, for seats or for a package.';
