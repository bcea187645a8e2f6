-- payments.platform_fee: what the platform keeps of a sale: the organization's share, half a cent rounded up.
--
-- The only place that knows the share: a row of organizations.payout_settings, else its default of 5 %.

create or replace function payments.platform_fee(organization_id uuid, amount_cents bigint)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select (
        platform_fee.amount_cents * coalesce(
            (
                select s.fee_bps
                from organizations.payout_settings as s
                where s.organization_id = platform_fee.organization_id
            ),
            500
        ) + 5000
    ) / 10000;
$$;

comment on function payments.platform_fee(uuid, bigint) is 'What the platform keeps of a sale, in cents.';
