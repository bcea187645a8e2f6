-- payments.canonical_entry: return the bytes of an entry that the hash chain of its account uses.
--
-- A JSON array as jsonb prints it, in UTF-8. First come the transaction's id, the line, the account's id, owner kind,
-- owner, organization, type and currency, and the amount. Then come the transaction's kind, reference type and id,
-- idempotency key, description, times (microseconds since 1970: occurred, recorded), the reversed transaction and the
-- actor.
--
-- Anyone with these values can recompute a chain without this database. Never change this routine: all existing seals
-- depend on it.

create or replace function payments.canonical_entry(
    entry payments.entries, transaction payments.transactions, account payments.accounts
)
returns bytea
language sql
stable
parallel safe
return convert_to(
    jsonb_build_array(
        (entry).transaction_id, (entry).line, (entry).account_id,
        (account).owner_kind, (account).owner_id, (account).organization_id, (account).type, (account).currency,
        (entry).amount_cents,
        (transaction).kind, (transaction).reference_type, (transaction).reference_id, (transaction).idempotency_key,
        (transaction).description,
        (extract(epoch from (transaction).occurred_at) * 1000000)::bigint,
        (extract(epoch from (transaction).recorded_at) * 1000000)::bigint,
        (transaction).reverses_id, (transaction).actor_id
    )::text,
    'UTF8'
);

comment on function payments.canonical_entry(payments.entries, payments.transactions, payments.accounts) is
'Return the bytes of an entry that the hash chain of its account uses.';

grant execute on function payments.canonical_entry(payments.entries, payments.transactions, payments.accounts)
to app_read, app_write;
