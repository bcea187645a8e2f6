-- payments.post_transactions: post many transactions in one call, all or none.
--
-- Takes a JSON array of at most 1000 objects with the names of payments.post_transaction's parameters, and returns the
-- transactions' ids in its order. Fifty in one call take a fifth of the instructions of fifty calls of that routine,
-- because the number of statements does not grow with the batch. The batch is one moment: a guarded account must not
-- be below zero after it.
--
-- Idempotent per key: for a key that is taken, or that the batch repeats, it returns the first transaction
-- (payments.idempotent_transaction). A rival with the same key is waited for.
--
-- Locks the keys in their order until the transaction ends, then the balances of guarded accounts in the order of
-- their ids. A refusal of one transaction refuses all, and names its idempotency_key or its account_id.
--
-- Refuses: the same as payments.post_transaction, 422 invalid_request.

create or replace function payments.post_transactions(transactions jsonb)
returns uuid[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- The ids differ in their last three digits only, which count, so they sort in the order of the batch.
    the_stem text := left(ops.uuid_v7()::text, 33);
    the_ids uuid[];
    repeated record;
begin
    if jsonb_array_length(post_transactions.transactions) > 1000 then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'One call posts at most 1000 transactions. Send the others in further calls.'
            )::text;
    end if;

    with
    numbered as materialized (
        select (the_stem || to_hex(1024 + g.number))::uuid as id, g.*
        from rows from (
            jsonb_to_recordset(post_transactions.transactions) as (
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
            from jsonb_array_elements(post_transactions.transactions) with ordinality as g (item, number)
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

comment on function payments.post_transactions(jsonb) is
'Post many transactions, all or none; returns their ids in order. Idempotent per key.';

grant execute on function payments.post_transactions(jsonb) to service_role;
