-- payments.notify_credits: notify a customer of credits or a pass that they bought or were given.
--
-- `more` is the bonus of the package, which is a lot of its own. Internal.

create or replace function payments.notify_credits(lot_id uuid, more bigint default 0)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into public.outbox (topic, key, payload)
    select
        case when l.kind = 'wallet' then 'credits.granted' else 'pass.granted' end,
        l.customer_id::text,
        payments.credit_payload(l, notify_credits.more)
    from payments.credit_lots as l
    where l.id = notify_credits.lot_id;
$$;

comment on function payments.notify_credits(uuid, bigint) is
'Notify a customer of credits or a pass that they bought or were given.';
