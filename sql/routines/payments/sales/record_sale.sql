-- payments.record_sale: post the sale of a paid booking: the price to the organization, less the platform's share.
--
-- The money comes from the customer's cash account, where Stripe's payment is, from their wallet at the organization,
-- or as a debt by invoice. Money that was taken at the desk enters the till at the event's location. Tax that was added
-- to the price goes to the organization, which owes it to the state; the platform's share is computed without it.
-- Credits of a promo code are granted, except for an invoice, which is unpaid (payments.record_invoice_payment). Posts
-- once per booking. The caller holds the event's lock. Internal.
--
-- Refuses: 403 forbidden, 409 insufficient_funds.

create or replace function payments.record_sale(booking_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    the_added_cents bigint;
    the_fee_cents bigint;
    the_wallet_id uuid;
    the_location_id uuid;
begin
    select b.* into the_booking from events.bookings as b where b.id = record_sale.booking_id;
    the_added_cents := coalesce(
        (select q.tax_cents from payments.quotes as q where q.booking_id = the_booking.id and q.tax_added), 0
    );
    the_fee_cents := payments.platform_fee(
        the_booking.organization_id, the_booking.price_cents - the_added_cents
    );

    insert into payments.sales (
        booking_id, organization_id, customer_id, method, amount_cents, fee_cents, currency
    )
    values (
        the_booking.id, the_booking.organization_id, the_booking.customer_id, the_booking.payment_method,
        the_booking.price_cents, the_fee_cents, the_booking.currency
    )
    on conflict do nothing;

    if not found then
        return;
    end if;

    if the_booking.payment_method = 'wallet' then
        the_wallet_id := payments.account(
            'user', the_booking.customer_id, 'credits', the_booking.currency, the_booking.organization_id
        );
        perform payments.lock_wallets(array[the_wallet_id]);
        perform payments.use_wallet(the_wallet_id, the_booking.id, the_booking.price_cents);
    end if;

    perform payments.post_between_owners(
        kind => 'sale',
        currency => the_booking.currency,
        legs => jsonb_build_array(
            payments.paying_leg(the_booking.customer_id, the_booking.organization_id, the_booking.payment_method)
            || jsonb_build_object('cents', the_booking.price_cents),
            jsonb_build_object(
                'owner', 'organization', 'id', the_booking.organization_id, 'type', 'receivable',
                'cents', the_fee_cents - the_booking.price_cents
            ),
            jsonb_build_object('owner', 'platform', 'type', 'revenue', 'cents', -the_fee_cents)
        ),
        idempotency_key => 'sale:' || the_booking.id,
        reference_type => 'booking',
        reference_id => the_booking.id
    );
    if the_booking.payment_method = 'invoice' then
        perform payments.issue_invoice(the_booking);
    else
        perform payments.grant_promo_credits(the_booking);
    end if;

    if the_booking.payment_method in ('cash', 'terminal') then
        select e.location_id into the_location_id
        from events.terms as t
        inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
        where t.event_id = the_booking.event_id;
        perform payments.settle_at_desk(
            'booking', the_booking.id, organization_id => the_booking.organization_id,
            location_id => the_location_id, customer_id => the_booking.customer_id,
            method => the_booking.payment_method::text, amount_cents => the_booking.price_cents,
            currency => the_booking.currency
        );
    end if;
end;
$$;

comment on function payments.record_sale(uuid) is
'Post the sale of a paid booking: the price to the organization, less the platform''s share.';
