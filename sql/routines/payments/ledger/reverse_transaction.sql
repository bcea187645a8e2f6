-- payments.reverse_transaction: reverse a transaction by a new one that negates its entries and names it.
--
-- Works once per transaction and once per key: a retry returns the same reversal. A reversal cannot be reversed. Takes
-- the locks of payments.post_transaction. A guarded account must still have the money that the reversal takes from it.
--
-- Refuses: 404 transaction_not_found, 409 already_reversed, 409 insufficient_funds, 409 reversal_is_final,
-- 422 idempotency_conflict.

create or replace function payments.reverse_transaction(
    transaction_id uuid, idempotency_key text, reason text default null
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_transaction payments.transactions;
    the_account_ids uuid[];
    the_amounts_cents bigint[];
    the_reversal payments.transactions;
    the_constraint text;
begin
    select t.* into the_transaction
    from payments.transactions as t
    where t.id = reverse_transaction.transaction_id;

    if not found then
        raise exception using errcode = 'PT404', message = 'transaction_not_found';
    end if;

    select array_agg(e.account_id order by e.line), array_agg(-e.amount_cents order by e.line)
    into the_account_ids, the_amounts_cents
    from payments.entries as e
    where e.transaction_id = the_transaction.id;

    return payments.post_transaction(
        kind => 'reversal',
        account_ids => the_account_ids,
        amounts_cents => the_amounts_cents,
        idempotency_key => reverse_transaction.idempotency_key,
        reference_type => the_transaction.reference_type,
        reference_id => the_transaction.reference_id,
        description => reverse_transaction.reason,
        reverses_id => the_transaction.id
    );
exception
    when unique_violation then
        get stacked diagnostics the_constraint = constraint_name;
        if the_constraint <> 'one_reversal_per_transaction' then
            raise;
        end if;
        select t.* into the_reversal
        from payments.transactions as t
        where t.reverses_id = reverse_transaction.transaction_id;

        -- Two concurrent retries can collide on this constraint before they collide on their key.
        if the_reversal.idempotency_key = reverse_transaction.idempotency_key then
            return the_reversal.id;
        end if;
        raise exception using errcode = 'PT409', message = 'already_reversed',
            detail = jsonb_build_object('reversal_id', the_reversal.id)::text;
end;
$$;

comment on function payments.reverse_transaction(uuid, text, text) is
'Reverse a transaction by a new one that negates its entries and names it.';

grant execute on function payments.reverse_transaction(uuid, text, text) to service_role;
