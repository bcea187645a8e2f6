-- payments.post_new_transactions: post the transactions of a batch whose keys are new, and return the ids of all.
--
-- Parameters and result are those of payments.post_transactions, which calls this for a batch with a key that exists.
-- Internal: runs with the rights of the routine that calls it.
--
-- Refuses: the same as payments.post_transactions, 422 idempotency_conflict.

create or replace function payments.post_new_transactions(transactions jsonb)
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    the_ids uuid[];
    repeated record;
begin
    with
    numbered as materialized (
        select ops.uuid_v7() as id, g.*
        from rows from (
            jsonb_to_recordset(post_new_transactions.transactions) as (
                kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text,
                reference_id uuid, occurred_at timestamptz, description text
            )
        ) with ordinality as g (
            kind, account_ids, amounts_cents, idempotency_key, reference_type, reference_id, occurred_at, description,
            number
        )
    ),

    posted as (
        insert into payments.transactions as t
        (id, kind, reference_type, reference_id, idempotency_key, occurred_at, description)
        select
            n.id, n.kind, n.reference_type, n.reference_id, n.idempotency_key,
            coalesce(n.occurred_at, statement_timestamp()), n.description
        from numbered as n
        order by n.idempotency_key, n.number
        on conflict on constraint one_transaction_per_key do nothing
        returning t.id
    ),

    -- Line numbers skip lines of zero. These are rare, so they are counted only in transactions that have any.
    written as (
        insert into payments.entries (transaction_id, line, account_id, amount_cents)
        select
            l.id,
            case
                when 0 = any (l.amounts_cents)
                then l.line - cardinality(array_positions(l.amounts_cents[:l.line], 0))
                else l.line
            end,
            l.account_id,
            l.amount_cents
        from (
            select
                n.id,
                n.amounts_cents,
                generate_series(1, greatest(cardinality(n.account_ids), cardinality(n.amounts_cents))) as line,
                unnest(n.account_ids) as account_id,
                unnest(n.amounts_cents) as amount_cents
            from posted as p
            inner join numbered as n on p.id = n.id
        ) as l
        where l.amount_cents is distinct from 0
    )

    select coalesce(array_agg(p.id order by n.number), '{}') into the_ids
    from numbered as n
    left join posted as p on n.id = p.id;

    if array_position(the_ids, null) is not null then
        for repeated in
            select g.number, r.*
            from jsonb_array_elements(post_new_transactions.transactions) with ordinality as g (item, number)
            cross join lateral jsonb_to_record(g.item) as r (
                kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text,
                reference_id uuid
            )
            where the_ids[g.number] is null
        loop
            the_ids[repeated.number] := payments.idempotent_transaction(
                repeated.kind, repeated.account_ids, repeated.amounts_cents, repeated.idempotency_key,
                repeated.reference_type, repeated.reference_id, null
            );
        end loop;
    end if;
    return the_ids;
end;
$$;

comment on function payments.post_new_transactions(jsonb) is
'Post the transactions of a batch whose keys are new, and return the ids of all.';
