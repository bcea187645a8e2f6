-- events.hold_until_paid: hold seats while a customer pays for them by card or TWINT.
--
-- The hold lasts for the organization's payment time, at most until the event ends: a payment may arrive after online
-- sales. The caller holds the locks of the customer and of `held_by`. Counting the hold locks the event's inventory.
--
-- Refuses: 409 hold_again_later, 409 sold_out, 409 too_many_held.

create or replace function events.hold_until_paid(
    terms events.terms, customer_id uuid, seats integer, held_by uuid
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_hold_id uuid := ops.uuid_v7();
begin
    perform events.limit_held_seats(
        hold_until_paid.terms, hold_until_paid.customer_id, hold_until_paid.seats, hold_until_paid.held_by, 'payment'
    );

    insert into events.holds (id, event_id, customer_id, seats, purpose, expires_at, held_by)
    values (
        the_hold_id, (hold_until_paid.terms).event_id, hold_until_paid.customer_id, hold_until_paid.seats, 'payment',
        least(
            events.sales_end_at(hold_until_paid.terms, for_staff => true),
            statement_timestamp() + make_interval(
                mins => coalesce(
                    (
                        select s.payment_minutes
                        from organizations.payout_settings as s
                        where s.organization_id = (hold_until_paid.terms).organization_id
                    ),
                    15
                )
            )
        ),
        hold_until_paid.held_by
    );
    return the_hold_id;
end;
$$;

comment on function events.hold_until_paid(events.terms, uuid, integer, uuid) is
'Hold seats while a customer pays for them. Returns the id of the hold.';
