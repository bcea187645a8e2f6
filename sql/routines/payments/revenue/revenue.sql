-- payments.revenue: return the revenue of an organization that was posted in a period.
--
-- The same movements as in payments.organizer_statement, without settlements (payments.movement_group), so analytics
-- and statement of the same days are equal. It is the organization's share, without the platform's. `begins_at` is
-- included, `ends_at` is not. The cost depends on the organization's own entries of the period. The revenue of all time
-- is the balance without the settlements: at 100,000 entries, this takes 1 ms where adding all takes 430.
--
-- For accountants, viewers, editors, admins and owners; zero for everyone else, as if they saw no entry.

create or replace function payments.revenue(
    organization_id uuid,
    begins_at timestamptz default '-infinity',
    ends_at timestamptz default 'infinity',
    currency text default null
)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_account_id uuid;
begin
    if
        not organizations.caller_is(revenue.organization_id, 'accountant', 'viewer', 'editor', 'admin', 'owner')
        and not ops.caller_is_owner()
    then
        return 0;
    end if;

    select a.id into the_account_id
    from organizations.organizations as o
    inner join payments.accounts as a
        on
            a.owner_kind = 'organization' and a.owner_id = o.id and a.type = 'receivable'
            and a.currency = coalesce(upper(revenue.currency), o.currency)
    where o.id = revenue.organization_id;

    if revenue.begins_at = '-infinity' and revenue.ends_at = 'infinity' then
        return payments.settled_cents(the_account_id) - payments.signed_balance(the_account_id);
    end if;

    return (
        select coalesce(-sum(l.amount_cents), 0)
        from (
            select s.transaction_id, s.amount_cents
            from payments.seals as s
            where
                s.account_id = the_account_id
                and s.latest_recorded_at >= revenue.begins_at
                and s.recorded_at >= revenue.begins_at
                and s.recorded_at < revenue.ends_at
            union all
            select u.transaction_id, u.amount_cents
            from payments.unsealed_entries as u
            where
                u.account_id = the_account_id
                and u.recorded_at >= revenue.begins_at
                and u.recorded_at < revenue.ends_at
        ) as l
        inner join payments.transactions as t on t.id = l.transaction_id
        left join payments.transactions as o on o.id = t.reverses_id
        where payments.movement_group(coalesce(o.kind, t.kind)) <> 'settlement'
    );
end;
$$;

comment on function payments.revenue(uuid, timestamptz, timestamptz, text) is
'Return the revenue of an organization that was posted in a period.';

grant execute on function payments.revenue(uuid, timestamptz, timestamptz, text) to app_read;
