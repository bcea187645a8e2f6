-- payments.expire_credits: expire unused credits whose expiry date has passed.
--
-- Takes up to `most` wallet lots and `most` passes, for the schedule. The organization receives the expired money of
-- wallets; passes post nothing, because the organization received their price when they were sold. Skips wallets and
-- passes that another transaction has locked: nobody can spend expired credits, so a later run takes them. Credits that
-- return to an expired lot expire again in a later run. Frozen credits do not expire.
--
-- Locks the wallets' balances in the order of their ids, then their lots. Repeating it changes nothing. Returns
-- {"lots", "lapsed_cents", "more"}.

create or replace function payments.expire_credits(
    at timestamptz default statement_timestamp(), most integer default 500
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_wallet_ids uuid[];
    the_postings jsonb;
    the_cents bigint;
    wallet_lots integer;
    passes integer;
begin
    select array_agg(b.account_id) into the_wallet_ids
    from (
        select b.account_id
        from payments.balances as b
        where b.account_id in (
            select d.account_id
            from (
                select l.account_id
                from payments.credit_lots as l
                where
                    l.kind = 'wallet' and l.remaining > 0 and l.expires_at <= expire_credits.at
                    and l.expires_at < 'infinity' and l.frozen_at is null
                order by l.expires_at
                limit expire_credits.most
            ) as d
        )
        order by b.account_id
        for no key update skip locked
    ) as b;

    with due as (
        select l.id, l.remaining, l.lapsed
        from payments.credit_lots as l
        where
            l.account_id = any (the_wallet_ids) and l.remaining > 0 and l.expires_at <= expire_credits.at
            and l.frozen_at is null
        order by l.id
        limit expire_credits.most
    ),
    gone as (
        update payments.credit_lots as l
        set remaining = 0, lapsed = l.lapsed + d.remaining
        from due as d
        where l.id = d.id
        returning l.id, l.account_id, l.organization_id, l.currency, d.remaining, d.lapsed
    )

    select
        jsonb_agg(
            jsonb_build_object(
                'kind', 'credits_expired',
                'idempotency_key', 'credits_expired:' || g.id || ':' || g.lapsed,
                'reference_type', 'credits',
                'reference_id', g.id,
                'account_ids', jsonb_build_array(
                    g.account_id, payments.account('organization', g.organization_id, 'receivable', g.currency)
                ),
                'amounts_cents', jsonb_build_array(g.remaining, -g.remaining)
            )
            order by g.id
        ),
        coalesce(sum(g.remaining), 0),
        count(*)
    into the_postings, the_cents, wallet_lots
    from gone as g;

    for part in 0 .. (wallet_lots - 1) / 1000 loop
        exit when wallet_lots = 0;
        perform payments.post_transactions(
            (
                select jsonb_agg(p.posting)
                from jsonb_array_elements(the_postings) with ordinality as p (posting, number)
                where p.number > part * 1000 and p.number <= part * 1000 + 1000
            )
        );
    end loop;

    with due as (
        select l.id
        from payments.credit_lots as l
        where
            l.kind = 'pass' and l.remaining > 0 and l.expires_at <= expire_credits.at and l.frozen_at is null
        order by l.id
        limit expire_credits.most
        for no key update skip locked
    )

    update payments.credit_lots as l
    set remaining = 0, lapsed = l.lapsed + l.remaining
    from due as d
    where l.id = d.id;
    get diagnostics passes = row_count;

    return jsonb_build_object(
        'lots', wallet_lots + passes,
        'lapsed_cents', the_cents,
        'more', wallet_lots >= expire_credits.most or passes >= expire_credits.most
    );
end;
$$;

comment on function payments.expire_credits(timestamptz, integer) is
'Expire unused credits whose expiry date has passed.';

grant execute on function payments.expire_credits(timestamptz, integer) to service_role;
