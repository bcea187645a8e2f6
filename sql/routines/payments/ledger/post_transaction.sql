-- payments.post_transaction: post a transaction between accounts, once per key, and return its id.
--
-- `amounts_cents` belong to `account_ids` in their order: debits positive, credits negative, with a sum of zero in each
-- currency. Lines of zero are left out. A retry with the same key returns the first transaction; its description and
-- time stay. The same key with another kind, reference or other lines is refused. A concurrent call with the same key
-- waits. For services and for the routines that move money; triggers check the entries and update balances.
--
-- Locks its key until the transaction ends, then the balances of guarded accounts in the order of their ids. Its caller
-- takes all other locks first.
--
-- Refuses: 404 account_not_found, 409 insufficient_funds, 422 idempotency_conflict, 422 no_entries, 422 unbalanced.

create or replace function payments.post_transaction(
    kind text,
    account_ids uuid[],
    amounts_cents bigint[],
    idempotency_key text,
    reference_type text default null,
    reference_id uuid default null,
    occurred_at timestamptz default null,
    description text default null,
    reverses_id uuid default null
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_id uuid := ops.uuid_v7();
begin
    if 0 = any (amounts_cents) then
        select coalesce(array_agg(l.account_id), '{}'), coalesce(array_agg(l.amount_cents), '{}')
        into account_ids, amounts_cents
        from unnest(account_ids, amounts_cents) as l (account_id, amount_cents)
        where l.amount_cents is distinct from 0;
    end if;

    with
    posted as (
        insert into payments.transactions as t
        (id, kind, reference_type, reference_id, idempotency_key, occurred_at, description, reverses_id)
        values (
            the_id, post_transaction.kind, post_transaction.reference_type, post_transaction.reference_id,
            post_transaction.idempotency_key, coalesce(post_transaction.occurred_at, statement_timestamp()),
            post_transaction.description, post_transaction.reverses_id
        )
        on conflict on constraint one_transaction_per_key do nothing
        returning t.id
    )

    insert into payments.entries (transaction_id, line, account_id, amount_cents)
    select p.id, l.line, l.account_id, l.amount_cents
    from posted as p
    cross join unnest(account_ids, amounts_cents) with ordinality as l (account_id, amount_cents, line);

    if found then
        return the_id;
    end if;

    return payments.idempotent_transaction(
        post_transaction.kind, account_ids, amounts_cents, post_transaction.idempotency_key,
        post_transaction.reference_type, post_transaction.reference_id, post_transaction.reverses_id
    );
end;
$$;

comment on function payments.post_transaction(
    text, uuid[], bigint[], text, text, uuid, timestamptz, text, uuid
) is 'Post a transaction between accounts, once per key, and return its id.';

grant execute on function payments.post_transaction(text, uuid[], bigint[], text, text, uuid, timestamptz, text, uuid)
to service_role;
