-- payments.post_between_owners: post one transaction between accounts that are given by owner and type, and create
-- missing ones.
--
-- Each leg is an object: {"owner": "organization" | "user" | "platform", "id", "type", "within", "cents"}. `within` is
-- the organization of a person's account. Legs of zero cents are left out; without any other leg it posts nothing and
-- returns null. Idempotent by its key, as payments.post_transaction is. Internal.
--
-- Refuses: the same as payments.post_transaction.

create or replace function payments.post_between_owners(
    kind text, currency text, legs jsonb, idempotency_key text, reference_type text, reference_id uuid
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    account_ids uuid[];
    amounts bigint[];
begin
    select array_agg(a.account_id), array_agg(a.cents)
    into account_ids, amounts
    from (
        select
            payments.account(
                l.owner::payments.owner_kind, l.id, l.type::payments.account_type,
                post_between_owners.currency, l.within
            ) as account_id,
            l.cents
        from
            jsonb_to_recordset(post_between_owners.legs)
            as l (owner text, id uuid, type text, within uuid, cents bigint)
        where l.cents <> 0
    ) as a;

    if account_ids is null then
        return null;
    end if;
    return payments.post_transaction(
        kind => post_between_owners.kind, account_ids => account_ids, amounts_cents => amounts,
        idempotency_key => post_between_owners.idempotency_key, reference_type => post_between_owners.reference_type,
        reference_id => post_between_owners.reference_id
    );
end;
$$;

comment on function payments.post_between_owners(text, text, jsonb, text, text, uuid) is
'Post one transaction between accounts that are given by owner and type, and create missing ones.';
