-- events.policy_snapshot: return a policy's rules as JSON, to be stored with an event.
--
-- Without a policy, returns the default rules.

create or replace function events.policy_snapshot(policy_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'opens_days_before', p.opens_days_before,
        'closes_minutes_before', coalesce(p.closes_minutes_before, 0),
        'cancel_hours_before', coalesce(p.cancel_hours_before, 24),
        'late_fee_cents', coalesce(p.late_fee_cents, 0),
        'late_refund_percent',
        coalesce(p.late_refund_percent, case when p.late_fee_cents > 0 then 100 else 0 end),
        'late_credit_lost', coalesce(p.late_credit_lost, true),
        'no_show_fee_cents', coalesce(p.no_show_fee_cents, 0),
        'refund_to', coalesce(p.refund_to, 'original'),
        -- A policy may have null here, which means the platform's maximum. Without a policy, the column's default
        -- applies.
        'seats_max_per_person', case when p.id is null then 20 else p.seats_max_per_person end,
        'no_show_after_minutes', p.no_show_after_minutes,
        'blocked_after_no_shows', p.blocked_after_no_shows,
        'no_shows_within_days', coalesce(p.no_shows_within_days, 90)
    )
    from (select policy_snapshot.policy_id as id) as wanted
    left join organizations.policies as p on p.id = wanted.id;
$$;

comment on function events.policy_snapshot(uuid) is 'Return a policy''s rules as JSON, to be stored with an event.';
