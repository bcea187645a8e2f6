-- payments.refuse_entries: raise the first fault of entries that payments.apply_new_entries suspects.
--
-- Returns if there is no fault. Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 404 account_not_found, 409 ledger_is_append_only, 422 unbalanced with the sums of the first transaction.

create or replace function payments.refuse_entries(entries payments.entries[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    the_account_id uuid;
    the_key text;
    the_sums jsonb;
begin
    select e.account_id into the_account_id
    from unnest(refuse_entries.entries) as e
    where not exists (select from payments.accounts as a where a.id = e.account_id)
    limit 1;

    if found then
        raise exception using errcode = 'PT404', message = 'account_not_found',
            detail = jsonb_build_object('account_id', the_account_id)::text;
    end if;

    select t.idempotency_key, s.sums into the_key, the_sums
    from (
        select c.transaction_id, jsonb_object_agg(c.currency, c.total) as sums
        from (
            select e.transaction_id, a.currency, sum(e.amount_cents) as total
            from unnest(refuse_entries.entries) as e
            inner join payments.accounts as a on a.id = e.account_id
            group by e.transaction_id, a.currency
            having sum(e.amount_cents) <> 0
        ) as c
        group by c.transaction_id
        order by c.transaction_id
        limit 1
    ) as s
    inner join payments.transactions as t on t.id = s.transaction_id;

    if found then
        raise exception using errcode = 'PT422', message = 'unbalanced',
            detail = jsonb_build_object('idempotency_key', the_key, 'sums_cents', the_sums)::text;
    end if;

    if exists (
        select
        from unnest(refuse_entries.entries) as e
        group by e.transaction_id
        having min(e.line) <> 1
    ) then
        raise exception using errcode = 'PT409', message = 'ledger_is_append_only',
            detail = jsonb_build_object(
                'detail', 'Entries cannot be added to a transaction that is already posted. Post a new transaction.'
            )::text;
    end if;
end;
$$;

comment on function payments.refuse_entries(payments.entries[]) is
'Raise the first fault of entries that payments.apply_new_entries suspects.';
