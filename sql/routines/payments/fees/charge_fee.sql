-- payments.charge_fee: charge a booking's fee: from the wallet if it covers the fee, otherwise as a debt.
--
-- The fee is for not attending, or for cancelling a booking without a price late. The platform takes its share as for a
-- sale; the fee has no tax. A booking has at most one fee at a time: charging again changes nothing until the fee is
-- reversed. Locks the wallet, after the event's inventory. Internal.

create or replace function payments.charge_fee(booking events.bookings)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_fee_id uuid := ops.uuid_v7();
    the_cents bigint := (charge_fee.booking).fee_cents;
    the_kind text := case when (charge_fee.booking).status = 'no_show' then 'no_show' else 'late_cancellation' end;
    the_share_cents bigint := payments.platform_fee((charge_fee.booking).organization_id, the_cents);
    the_wallet_id uuid;
    from_wallet boolean;
    the_transaction_id uuid;
begin
    if
        the_cents = 0
        or exists (
            select
            from payments.fees as f
            where f.booking_id = (charge_fee.booking).id and f.taken_back_at is null
        )
    then
        return;
    end if;

    select a.id into the_wallet_id
    from payments.accounts as a
    where
        a.owner_kind = 'user'
        and a.owner_id = (charge_fee.booking).customer_id
        and a.type = 'credits'
        and a.currency = (charge_fee.booking).currency
        and a.organization_id = (charge_fee.booking).organization_id;

    perform payments.lock_wallets(array[the_wallet_id]);
    from_wallet := the_wallet_id is not null and payments.spendable_cents(the_wallet_id) >= the_cents;
    if from_wallet then
        perform payments.use_wallet(the_wallet_id, (charge_fee.booking).id, the_cents, the_kind);
    end if;

    the_transaction_id := payments.post_between_owners(
        kind => the_kind || '_fee',
        currency => (charge_fee.booking).currency,
        legs => jsonb_build_array(
            payments.paying_leg(
                (charge_fee.booking).customer_id, (charge_fee.booking).organization_id,
                case when from_wallet then 'wallet' else 'invoice' end::events.payment_method
            ) || jsonb_build_object('cents', the_cents),
            jsonb_build_object(
                'owner', 'organization', 'id', (charge_fee.booking).organization_id, 'type', 'receivable',
                'cents', the_share_cents - the_cents
            ),
            jsonb_build_object('owner', 'platform', 'type', 'revenue', 'cents', -the_share_cents)
        ),
        idempotency_key => the_kind || '_fee:' || the_fee_id,
        reference_type => 'booking',
        reference_id => (charge_fee.booking).id
    );

    insert into payments.fees (
        id, booking_id, organization_id, customer_id, amount_cents, currency, paid_from, transaction_id,
        kind
    )
    values (
        the_fee_id, (charge_fee.booking).id, (charge_fee.booking).organization_id, (charge_fee.booking).customer_id,
        the_cents, (charge_fee.booking).currency, case when from_wallet then 'wallet' else 'owed' end,
        the_transaction_id, the_kind
    );
end;
$$;

comment on function payments.charge_fee(events.bookings) is
'Charge a booking''s fee: from the wallet if it covers the fee, otherwise as a debt.';
