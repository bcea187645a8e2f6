-- payments.post_transactions: post up to 1000 transactions in one call, all or none, and return their ids.
--
-- Takes a JSON array of objects with the names of payments.post_transaction's parameters; the ids are in its order. The
-- number of statements does not grow with the batch. Guarded accounts must not be below zero after the whole batch.
-- Locks the keys in their order, then the balances in the order of their ids. One refused transaction refuses all; the
-- refusal names its idempotency_key or account_id.
--
-- Inserts without a look-up, as if every key were new. If a key exists, the unique violation rolls back the inserts
-- with their locks, and payments.post_new_transactions posts the batch.
--
-- Refuses: the same as payments.post_transaction, 422 invalid_request.

create or replace function payments.post_transactions(transactions jsonb)
returns uuid[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- The ids differ only in their last three digits, which count the transactions.
    the_stem text := left(ops.uuid_v7()::text, 33);
    the_ids uuid[];
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

    -- The subquery reads the caller's id once. The column's default would read it for each row.
    posted as (
        insert into payments.transactions
        (id, kind, reference_type, reference_id, idempotency_key, occurred_at, description, actor_id)
        select
            n.id, n.kind, n.reference_type, n.reference_id, n.idempotency_key,
            coalesce(n.occurred_at, statement_timestamp()), n.description, (select ops.caller_id())
        from numbered as n
        order by n.idempotency_key
    ),

    -- Line numbers skip lines of zero. These are rare, so they are counted only in transactions that have any.
    written as (
        insert into payments.entries (transaction_id, line, account_id, amount_cents)
        select
            l.id,
            case
                when l.has_zeros
                then l.line - cardinality(array_positions(l.amounts_cents[:l.line], 0))
                else l.line
            end,
            l.account_ids[l.line],
            l.amounts_cents[l.line]
        from (
            select
                n.id,
                n.account_ids,
                n.amounts_cents,
                0 = any (n.amounts_cents) as has_zeros,
                generate_series(1, greatest(cardinality(n.account_ids), cardinality(n.amounts_cents))) as line
            from numbered as n
        ) as l
        where l.amounts_cents[l.line] is distinct from 0
    )

    select coalesce(array_agg(n.id order by n.number), '{}') into the_ids
    from numbered as n;

    return the_ids;
exception
    when unique_violation then
        return payments.post_new_transactions(post_transactions.transactions);
end;
$$;

comment on function payments.post_transactions(jsonb) is
'Post up to 1000 transactions in one call, all or none, and return their ids.';

grant execute on function payments.post_transactions(jsonb) to service_role;
