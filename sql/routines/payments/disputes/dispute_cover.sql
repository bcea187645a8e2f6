-- payments.dispute_cover: return the amount of lost disputes of a payment that no refund accounts for yet.
--
-- Adds up the lost disputes, less the refunds that a dispute completed. A dispute in another currency counts as the
-- whole payment. The result is negative when a dispute was won after it had been lost.

create or replace function payments.dispute_cover(intent_id uuid)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(
            (
                select sum(case when d.currency = i.currency then d.amount_cents else i.amount_cents end)::bigint
                from payments.disputes as d
                where d.intent_id = i.id and d.status = 'lost'
            ),
            0
        )
        - coalesce(
            (
                select sum(r.amount_cents)::bigint
                from payments.refunds as r
                where r.intent_id = i.id and r.destination = 'dispute'
            ),
            0
        )
    from payments.intents as i
    where i.id = dispute_cover.intent_id;
$$;

comment on function payments.dispute_cover(uuid) is
'Return the amount of lost disputes of a payment that no refund accounts for yet.';
