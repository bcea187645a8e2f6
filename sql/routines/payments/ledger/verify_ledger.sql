-- payments.verify_ledger: check the whole ledger and return every finding; an empty result is a sound ledger.
--
-- Recomputes every sum, every link of every chain and every guarded balance, in one statement and so in one snapshot,
-- while postings continue. `since` skips transactions that were recorded earlier; balances always sum all entries.
--
-- transaction_unbalanced, transaction_without_entries: an entry was changed or deleted.
-- entry_without_transaction, entry_without_account: the other side was deleted, or the entry moved.
-- entry_not_followed, entry_followed_twice: an entry bypassed the triggers, a seal was deleted, or a sealed entry was
-- queued again.
-- unsealed_entry_lost, unsealed_entry_changed: an entry was changed before it was sealed; it will never be sealed.
-- sealed_entry_lost, sealed_entry_changed: an entry, its transaction, its account or the hash was changed.
-- chain_torn, sealed_balance_wrong: a seal was deleted or changed.
-- guarded_balance_wrong: payments.balances differs from the sum of the entries.
-- reversal_differs: a reversal no longer negates its transaction.
--
-- It cannot find a forger with all rights who recomputes every later hash after a change. A copy of each account's last
-- hash, kept elsewhere, would reveal that.

create or replace function payments.verify_ledger(since timestamptz default null)
returns table (finding text, account_id uuid, transaction_id uuid, line smallint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with
    booked as materialized (
        select
            e.transaction_id, e.line, e.account_id, e.amount_cents::bigint as amount_cents,
            a.currency, t.id as known_id, t.recorded_at
        from payments.entries as e
        left join payments.transactions as t on e.transaction_id = t.id
        left join payments.accounts as a on e.account_id = a.id
        where verify_ledger.since is null or t.recorded_at is null or t.recorded_at >= verify_ledger.since
    ),

    links as (
        select
            s.*, p.position is null and s.position > 1 as is_torn,
            coalesce(p.balance_cents, 0) + s.amount_cents as expected_cents,
            greatest(p.latest_recorded_at, s.recorded_at) as expected_latest,
            e.transaction_id is null or t.id is null as is_lost,
            e.account_id = s.account_id and e.amount_cents = s.amount_cents and t.recorded_at = s.recorded_at
            and payments.hash_link(coalesce(p.hash, ''), payments.canonical_entry(e, t, a)) = s.hash as is_true
        from payments.seals as s
        left join payments.seals as p on s.account_id = p.account_id and s.position - 1 = p.position
        left join payments.entries as e on s.transaction_id = e.transaction_id and s.line = e.line
        left join payments.transactions as t on s.transaction_id = t.id
        left join payments.accounts as a on s.account_id = a.id
        where verify_ledger.since is null or s.latest_recorded_at >= verify_ledger.since
    )

    select 'entry_without_transaction', b.account_id, b.transaction_id, b.line
    from booked as b
    where b.known_id is null
    union all
    select 'entry_without_account', b.account_id, b.transaction_id, b.line
    from booked as b
    where b.currency is null
    union all
    select 'transaction_without_entries', null, t.id, null
    from payments.transactions as t
    where
        (verify_ledger.since is null or t.recorded_at >= verify_ledger.since)
        and not exists (select from payments.entries as e where e.transaction_id = t.id)
    union all
    select distinct 'transaction_unbalanced', null::uuid, u.transaction_id, null::smallint
    from (
        select b.transaction_id
        from booked as b
        group by b.transaction_id, b.currency
        having sum(b.amount_cents) <> 0
    ) as u
    union all
    select
        case when s.position is null then 'entry_not_followed' else 'entry_followed_twice' end,
        b.account_id, b.transaction_id, b.line
    from booked as b
    left join payments.seals as s on b.transaction_id = s.transaction_id and b.line = s.line
    left join payments.unsealed_entries as u
        on b.account_id = u.account_id and b.transaction_id = u.transaction_id and b.line = u.line
    where (s.position is null) = (u.line is null)
    union all
    select
        case when e.line is null then 'unsealed_entry_lost' else 'unsealed_entry_changed' end,
        u.account_id, u.transaction_id, u.line
    from payments.unsealed_entries as u
    left join payments.entries as e
        on u.transaction_id = e.transaction_id and u.line = e.line
    left join payments.transactions as t on u.transaction_id = t.id
    where
        (e.account_id, e.amount_cents, t.recorded_at) is distinct from (u.account_id, u.amount_cents, u.recorded_at)
    union all
    select f.finding, l.account_id, l.transaction_id, l.line
    from links as l
    cross join lateral (
        values
        ('sealed_entry_lost', l.is_lost),
        ('sealed_entry_changed', not l.is_lost and not l.is_torn and l.is_true is not true),
        ('chain_torn', l.is_torn),
        (
            'sealed_balance_wrong',
            not l.is_torn
            and (l.balance_cents, l.latest_recorded_at) is distinct from (l.expected_cents, l.expected_latest)
        )
    ) as f (finding, is_so)
    where f.is_so
    union all
    select 'guarded_balance_wrong', g.account_id, null, null
    from (
        select
            coalesce(a.id, b.account_id) as account_id, b.balance_cents::bigint as balance_cents,
            payments.normal_side(a.type) * coalesce(n.amount_cents, 0) as expected_cents
        from (select a.* from payments.accounts as a where a.guarded) as a
        full join payments.balances as b on a.id = b.account_id
        left join (
            select n.account_id, sum(n.amount_cents) as amount_cents
            from payments.entries as n
            group by n.account_id
        ) as n on a.id = n.account_id
    ) as g
    where g.balance_cents is distinct from g.expected_cents or g.balance_cents < 0
    union all
    select distinct 'reversal_differs', null::uuid, t.id, null::smallint
    from payments.transactions as t
    inner join payments.entries as n on t.id = n.transaction_id
    left join payments.entries as o
        on t.reverses_id = o.transaction_id and n.line = o.line and n.account_id = o.account_id
        and n.amount_cents::bigint = -o.amount_cents::bigint
    where
        t.reverses_id is not null
        and (verify_ledger.since is null or t.recorded_at >= verify_ledger.since)
        and o.line is null;
$$;

comment on function payments.verify_ledger(timestamptz) is
'Check the whole ledger and return every finding; an empty result is a sound ledger.';

grant execute on function payments.verify_ledger(timestamptz) to service_role;
