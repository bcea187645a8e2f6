-- payments.is_withdrawn: return whether an open dispute, neither won nor lost, holds a payment.

create or replace function payments.is_withdrawn(intent_id uuid)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from payments.disputes as d
        where d.intent_id = is_withdrawn.intent_id and d.withdrawn and d.status <> 'lost'
    );
$$;

comment on function payments.is_withdrawn(uuid) is
'Return whether an open dispute, neither won nor lost, holds a payment.';
