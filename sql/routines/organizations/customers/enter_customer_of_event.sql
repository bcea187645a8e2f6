-- organizations.enter_customer_of_event: enter the customer of a new hold or waitlist entry.

create or replace function organizations.enter_customer_of_event()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform organizations.enter_customer(t.organization_id, new.customer_id)
    from events.terms as t
    where t.event_id = new.event_id;
    return null;
end;
$$;

create or replace trigger add_customer after insert on events.holds
for each row execute function organizations.enter_customer_of_event();

create or replace trigger add_customer after insert on events.waitlist_entries
for each row execute function organizations.enter_customer_of_event();
