-- events.refuse_sold_out: refuse because too few seats are on sale, and report whether the customer may wait for them.
--
-- `seats_left` are the seats that the customer can book: those on sale and those reserved for them. The first in the
-- waitlist can also book those set aside. `waitlist` says whether events.join_waitlist would accept the same customer
-- and number of seats. Without a customer it considers the event only.
--
-- Refuses, always: 409 sold_out, with seats_left and waitlist.

create or replace function events.refuse_sold_out(event_id uuid, customer_id uuid, seats integer)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
    the_inventory events.inventory;
begin
    select t.* into the_terms from events.terms as t where t.event_id = refuse_sold_out.event_id;
    select i.* into the_inventory from events.inventory as i where i.event_id = refuse_sold_out.event_id;

    raise exception using errcode = 'PT409', message = 'sold_out',
        detail = jsonb_build_object(
            'seats_left', greatest(events.seats_left(the_inventory), 0)
            + events.reserved_seats(refuse_sold_out.event_id, refuse_sold_out.customer_id)
            + case
                when events.is_first_in_waitlist(refuse_sold_out.event_id, refuse_sold_out.customer_id)
                then
                    the_inventory.capacity - the_inventory.taken - the_inventory.held
                    - events.seats_on_sale(the_inventory)
                else 0
            end,
            'waitlist', events.may_join_waitlist(
                the_terms, the_inventory, refuse_sold_out.customer_id, refuse_sold_out.seats
            )
        )::text;
end;
$$;

comment on function events.refuse_sold_out(uuid, uuid, integer) is
'Refuse with sold_out, the number of seats on sale, and whether the customer may wait for the seats.';
