-- payments.check_transactions: check that new transactions have their entries, and that reversals negate theirs
-- exactly.
--
-- Trigger of payments.transactions, at the end of the statement that inserts them: the same statement must insert the
-- entries. A reversal cannot be reversed: post the original transaction anew. The constraint
-- one_reversal_per_transaction allows one reversal each. Runs with the rights of the routine that inserts; only the
-- owner's routines can insert.
--
-- Refuses: 409 reversal_is_final, 422 no_entries, 422 reversal_differs.

create or replace function payments.check_transactions()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    is_whole boolean;
    is_reversing boolean;
begin
    -- Comparing the number of first lines with the number of transactions is cheaper than one look-up per transaction.
    select
        count(*) = (
            select count(*) from payments.entries as e where e.transaction_id = any (array_agg(f.id)) and e.line = 1
        ),
        bool_or(f.reverses_id is not null)
    into is_whole, is_reversing
    from fresh as f;

    if not is_whole then
        raise exception using errcode = 'PT422', message = 'no_entries',
            detail = jsonb_build_object(
                'idempotency_key', (
                    select min(f.idempotency_key)
                    from fresh as f
                    where not exists (select from payments.entries as e where e.transaction_id = f.id and e.line = 1)
                ),
                'detail', 'Post a transaction and its entries in one statement.'
            )::text;
    end if;

    if is_reversing then
        if exists (
            select
            from fresh as f
            inner join payments.transactions as t on t.id = f.reverses_id
            where t.reverses_id is not null
        ) then
            raise exception using errcode = 'PT409', message = 'reversal_is_final';
        end if;

        if exists (
            select
            from fresh as f
            cross join lateral (
                select
                from (select e.* from payments.entries as e where e.transaction_id = f.id) as n
                full join (select e.* from payments.entries as e where e.transaction_id = f.reverses_id) as o
                    on n.line = o.line
                where n.account_id is distinct from o.account_id or n.amount_cents is distinct from -o.amount_cents
                limit 1
            ) as d
            where f.reverses_id is not null
        ) then
            raise exception using errcode = 'PT422', message = 'reversal_differs';
        end if;
    end if;
    return null;
end;
$$;

create or replace trigger check_transactions after insert on payments.transactions
referencing new table as fresh
for each statement execute function payments.check_transactions();
