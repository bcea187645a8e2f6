-- payments.platform_fee: return the platform's share of a sale, in cents.
--
-- The only place with this rule: the rate of organizations.payout_settings, or 5 % by default, with half a cent rounded
-- up.

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

comment on function payments.platform_fee(uuid, bigint) is 'Return the platform''s share of a sale, in cents.';
