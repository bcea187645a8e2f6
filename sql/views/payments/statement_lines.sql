-- payments.statement_lines: the entries of each account in order, with the balance after each entry.
--
-- Amounts and balances are in the account's normal sign. Lines without a seal follow the sealed ones. They get their
-- final number and order when they are sealed. Contains the accounts that the caller may see.

create or replace view payments.statement_lines with (security_invoker = true) as
select
    l.account_id,
    l.number,
    a.type,
    a.currency,
    t.id as transaction_id,
    l.line,
    t.kind,
    t.reference_type,
    t.reference_id,
    t.description,
    t.occurred_at,
    t.recorded_at,
    t.reverses_id,
    payments.normal_side(a.type) * l.amount_cents as amount_cents,
    payments.normal_side(a.type) * l.balance_cents as balance_cents,
    l.is_sealed
from (
    select
        s.account_id,
        s.transaction_id,
        s.line,
        s.amount_cents,
        s.balance_cents,
        s.position as number,
        true as is_sealed
    from payments.seals as s
    union all
    select
        u.account_id,
        u.transaction_id,
        u.line,
        u.amount_cents,
        (coalesce(h.balance_cents, 0) + sum(u.amount_cents) over so_far)::bigint as balance_cents,
        coalesce(h.position, 0) + row_number() over so_far as number,
        false as is_sealed
    from payments.unsealed_entries as u
    left join lateral (
        select
            s.position,
            s.balance_cents
        from payments.seals as s
        where s.account_id = u.account_id
        order by s.position desc
        limit 1
    ) as h on true
    window so_far as (
        partition by u.account_id
        order by u.recorded_at, u.transaction_id, u.line
        rows unbounded preceding
    )
) as l
inner join payments.accounts as a on l.account_id = a.id
inner join payments.transactions as t on l.transaction_id = t.id;

comment on view payments.statement_lines is 'The entries of each account in order, with the balance after each entry.';

grant select on payments.statement_lines to app_read, app_write;
