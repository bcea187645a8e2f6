-- payments.idempotent_transaction: return the transaction that was posted under a key, or refuse if it differs.
--
-- Lines of zero are ignored, as they were when it was posted. Internal: runs with the rights of the routine that calls
-- it.
--
-- Refuses: 422 idempotency_conflict, when the kind, reference, reversed transaction or lines differ.

create or replace function payments.idempotent_transaction(
    kind text,
    account_ids uuid[],
    amounts_cents bigint[],
    idempotency_key text,
    reference_type text,
    reference_id uuid,
    reverses_id uuid
)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    the_id uuid;
    is_same boolean;
begin
    select
        t.id,
        (t.kind, t.reference_type, t.reference_id, t.reverses_id, e.account_ids, e.amounts_cents)
        is not distinct from (
            idempotent_transaction.kind::varchar, idempotent_transaction.reference_type::varchar,
            idempotent_transaction.reference_id,
            idempotent_transaction.reverses_id, g.account_ids, g.amounts_cents
        )
    into the_id, is_same
    from payments.transactions as t
    cross join lateral (
        select
            array_agg(e.account_id order by e.line) as account_ids,
            array_agg(e.amount_cents::bigint order by e.line) as amounts_cents
        from payments.entries as e
        where e.transaction_id = t.id
    ) as e
    cross join lateral (
        select
            array_agg(l.account_id order by l.line) as account_ids,
            array_agg(l.amount_cents order by l.line) as amounts_cents
        from unnest(idempotent_transaction.account_ids, idempotent_transaction.amounts_cents) with ordinality
            as l (account_id, amount_cents, line)
        where l.amount_cents is distinct from 0
    ) as g
    where t.idempotency_key = idempotent_transaction.idempotency_key;

    if is_same is not true then
        raise exception using errcode = 'PT422', message = 'idempotency_conflict',
            detail = jsonb_build_object('idempotency_key', idempotent_transaction.idempotency_key)::text;
    end if;
    return the_id;
end;
$$;

comment on function payments.idempotent_transaction(text, uuid[], bigint[], text, text, uuid, uuid) is
'Return the transaction that was posted under a key, or refuse if it differs.';
