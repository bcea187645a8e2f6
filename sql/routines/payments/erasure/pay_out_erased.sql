-- payments.pay_out_erased: pay out at commit any credits that were given to an erased person.
--
-- Deferred trigger of payments.credit_lots. It makes sure that no routine leaves money or units with an erased person:
-- a refund, a late payment, a reversed fee, a promised credit. payments.pay_out_credits has the rules.
-- users.sweep_erased pays out credits of a transaction that commits at the same time as the erasure. Locks the person's
-- purchases, wallets and lots.

create or replace function payments.pay_out_erased()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if
        exists (select from users.profiles as p where p.id = new.customer_id and p.erased_at is not null)
        and exists (select from payments.credit_lots as l where l.id = new.id and l.remaining > 0)
    then
        perform payments.pay_out_credits(new.customer_id);
    end if;
    return null;
end;
$$;

-- PostgreSQL has no `create or replace constraint trigger`.
drop trigger if exists pay_out_erased_inserted on payments.credit_lots;
create constraint trigger pay_out_erased_inserted after insert on payments.credit_lots
deferrable initially deferred
for each row when (new.remaining > 0) execute function payments.pay_out_erased();

drop trigger if exists pay_out_erased_updated on payments.credit_lots;
create constraint trigger pay_out_erased_updated after update of remaining on payments.credit_lots
deferrable initially deferred
for each row when (new.remaining > old.remaining) execute function payments.pay_out_erased();
