-- payments.is_disputed: return whether a dispute holds a payment, or took more of it than was refunded.

create or replace function payments.is_disputed(intent_id uuid)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from payments.disputes as d
        where
            d.intent_id = is_disputed.intent_id
            and d.withdrawn
            and (d.status <> 'lost' or payments.dispute_cover(d.intent_id) > 0)
    );
$$;

comment on function payments.is_disputed(uuid) is
'Return whether a dispute holds a payment, or took more of it than was refunded.';
