-- payments.tell_of_credits: have a customer hear of credits or a pass that they were given or have bought.
--
-- more is what came with it, the bonus of a package. Internal.

create or replace function payments.tell_of_credits(lot_id uuid, more bigint default 0)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into public.outbox (topic, key, payload)
    select
        case when l.kind = 'wallet' then 'credits.granted' else 'pass.granted' end,
        l.customer_id::text,
        payments.credit_payload(l, tell_of_credits.more)
    from payments.credit_lots as l
    where l.id = tell_of_credits.lot_id;
$$;

comment on function payments.tell_of_credits(uuid, bigint) is
'Have a customer hear of credits or a pass that they were given or have bought.';
