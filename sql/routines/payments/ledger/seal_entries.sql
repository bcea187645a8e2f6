-- payments.seal_entries: append unsealed entries to the hash chains of their accounts.
--
-- Seals at most `most` entries, oldest first. An advisory lock lets one run at a time; a second one does nothing. It
-- waits for no posting and no posting waits for it, because postings only insert into the table that it empties. It
-- skips entries of the last ten seconds, so that concurrent ones are sealed in their order.
--
-- An entry that was altered after its posting is not sealed; payments.verify_ledger reports it. Afterwards it counts
-- the settlements of sealed entries (payments.count_settlements). Returns {"sealed", "more"}.

create or replace function payments.seal_entries(
    until timestamptz default statement_timestamp() - interval '10 seconds',
    most integer default 10000
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    due_count integer;
    sealed_count integer;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('payments.seal_entries', 0)) then
        return jsonb_build_object('sealed', 0, 'more', false);
    end if;

    with
    due as materialized (
        select u.account_id, u.transaction_id, u.line, u.amount_cents, u.recorded_at
        from payments.unsealed_entries as u
        where u.recorded_at <= seal_entries.until
        order by u.recorded_at, u.transaction_id, u.line
        limit seal_entries.most
    ),

    -- Each `limit 1` keeps the planner from joining whole tables, because it underestimates the number of due rows.
    numbered as (
        select
            d.account_id, d.transaction_id, d.line, d.amount_cents, d.recorded_at,
            row_number() over by_account as number,
            coalesce(h.position, 0) as head_position,
            coalesce(h.balance_cents, 0) as head_cents,
            h.latest_recorded_at as head_recorded_at,
            coalesce(h.hash, '') as head_hash,
            payments.canonical_entry(e.entry, t.transaction, a.account) as bytes
        from due as d
        cross join lateral (
            select e as entry
            from payments.entries as e
            where
                e.transaction_id = d.transaction_id
                and e.line = d.line
                and e.account_id = d.account_id
                and e.amount_cents = d.amount_cents
            limit 1
        ) as e
        cross join lateral (
            select t as transaction
            from payments.transactions as t
            where t.id = d.transaction_id and t.recorded_at = d.recorded_at
            limit 1
        ) as t
        cross join lateral (
            select a as account from payments.accounts as a where a.id = d.account_id limit 1
        ) as a
        left join lateral (
            select s.position, s.balance_cents, s.latest_recorded_at, s.hash
            from payments.seals as s
            where s.account_id = d.account_id
            order by s.position desc
            limit 1
        ) as h on true
        window by_account as (partition by d.account_id order by d.recorded_at, d.transaction_id, d.line)
    ),

    sealed as (
        insert into payments.seals (
            account_id, position, transaction_id, line, amount_cents, balance_cents, recorded_at,
            latest_recorded_at, hash
        )
        select
            n.account_id, n.head_position + n.number, n.transaction_id, n.line, n.amount_cents,
            n.head_cents + sum(n.amount_cents) over so_far,
            n.recorded_at,
            greatest(n.head_recorded_at, n.recorded_at),
            payments.hash_chain(case when n.number = 1 then n.head_hash || n.bytes else n.bytes end) over so_far
        from numbered as n
        window so_far as (partition by n.account_id order by n.number rows unbounded preceding)
        returning account_id, transaction_id, line
    ),

    removed as (
        delete from payments.unsealed_entries as u
        using sealed as s
        where u.account_id = s.account_id and u.transaction_id = s.transaction_id and u.line = s.line
    )

    select (select count(*) from due as d), (select count(*) from sealed as s)
    into due_count, sealed_count;

    perform payments.count_settlements();
    return jsonb_build_object(
        'sealed', sealed_count, 'more', sealed_count > 0 and due_count = seal_entries.most
    );
end;
$$;

comment on function payments.seal_entries(timestamptz, integer) is
'Append unsealed entries to the hash chains of their accounts.';

grant execute on function payments.seal_entries(timestamptz, integer) to service_role;
