-- payments.apply_new_entries: check the entries of a statement, note them as unsealed, and update guarded balances.
--
-- Trigger of payments.entries, once per statement, so that a batch costs little more than one transaction. Runs with
-- the rights of the routine that inserts; only the owner's routines can insert. All entries of a transaction, line 1
-- included, must come in one statement. They must belong to an existing transaction and to existing accounts, and sum
-- to zero in every currency.
--
-- Locks the balances of guarded accounts, in the order of their ids. The update itself checks the balance, so two
-- postings never both take the last cents. The constraint balance_never_below_zero is the second defence.
--
-- Refuses: 404 account_not_found, 409 insufficient_funds, 409 ledger_is_append_only, 422 unbalanced. Entries without a
-- transaction fail on the missing recorded_at.

create or replace function payments.apply_new_entries()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    is_sound boolean;
    is_guarded boolean;
    change record;
begin
    -- The planner does not know the size of `fresh`. It must choose neither a sequential scan nor a nested loop where a
    -- look-up by key suffices. Hence the array, the full join, which cannot be a nested loop, and the `limit 1`.
    with
    noted as (
        insert into payments.unsealed_entries (account_id, transaction_id, line, amount_cents, recorded_at)
        select f.account_id, f.transaction_id, f.line, f.amount_cents, t.recorded_at
        from fresh as f
        full join (
            select t.id, t.recorded_at
            from payments.transactions as t
            where t.id = any (array(select f.transaction_id from fresh as f))
        ) as t on f.transaction_id = t.id
    )

    select bool_and(s.is_sound), bool_or(s.guarded)
    into is_sound, is_guarded
    from (
        select
            sum(f.amount_cents) = 0 and min(f.line) = 1 and a.currency is not null as is_sound,
            bool_or(a.guarded) as guarded
        from fresh as f
        left join lateral (
            select a.currency, a.guarded from payments.accounts as a where a.id = f.account_id limit 1
        ) as a on true
        group by f.transaction_id, a.currency
    ) as s;

    -- The entries may still be sound: in a transaction of several currencies, only one of them has line 1.
    if is_sound is false then
        perform payments.refuse_entries(
            array(select row(f.transaction_id, f.line, f.account_id, f.amount_cents)::payments.entries from fresh as f)
        );
    end if;

    if is_guarded then
        for change in
            select f.account_id, payments.normal_side(a.type) * sum(f.amount_cents)::bigint as amount_cents
            from fresh as f
            cross join lateral (
                select a.type from payments.accounts as a where a.id = f.account_id and a.guarded limit 1
            ) as a
            group by f.account_id, a.type
            having sum(f.amount_cents) <> 0
            order by f.account_id
        loop
            update payments.balances as b
            set balance_cents = b.balance_cents + change.amount_cents
            where b.account_id = change.account_id and b.balance_cents + change.amount_cents >= 0;

            if not found then
                perform payments.refuse_insufficient_funds(change.account_id, -change.amount_cents);
            end if;
        end loop;
    end if;
    return null;
end;
$$;

create or replace trigger follow_entries after insert on payments.entries
referencing new table as fresh
for each statement execute function payments.apply_new_entries();
