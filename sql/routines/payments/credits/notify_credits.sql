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
        jsonb_strip_nulls(jsonb_build_object(
            'lot_id', l.id, 'customer_id', l.customer_id, 'organization_id', l.organization_id,
            'purchase_id', l.purchase_id, 'booking_id', l.booking_id, 'source', l.source, 'currency', l.currency,
            'amount_cents', case when l.kind = 'wallet' then l.amount + notify_credits.more end,
            'units', case when l.kind = 'pass' then l.amount + notify_credits.more end,
            'expires_on', case
                when l.expires_at < 'infinity' then (l.expires_at at time zone o.time_zone)::date
            end
        ))
    from payments.credit_lots as l
    inner join organizations.organizations as o on o.id = l.organization_id
    where l.id = notify_credits.lot_id;
$$;

comment on function payments.notify_credits(uuid, bigint) is
'Notify a customer of credits or a pass that they bought or were given.';
