-- organizations.enter_customer_of_row: enter the customer of a new booking, purchase or credit.

create or replace function organizations.enter_customer_of_row()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform organizations.enter_customer(new.organization_id, new.customer_id);
    return null;
end;
$$;

-- The name of the trigger sorts before count_inserted, which locks the event's inventory.
create or replace trigger add_customer after insert on events.bookings
for each row execute function organizations.enter_customer_of_row();

create or replace trigger add_customer after insert on payments.purchases
for each row execute function organizations.enter_customer_of_row();

create or replace trigger add_customer after insert on payments.credit_lots
for each row execute function organizations.enter_customer_of_row();
