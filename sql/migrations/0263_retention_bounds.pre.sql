-- Let operators set retention periods within bounds, which laws and other features give.

alter table ops.retention
add column period_least interval,
add column period_most interval,
add constraint period_bounds_are_given_together check ((period_least is null) = (period_most is null)) not valid,
add constraint period_is_within_bounds check (period between period_least and period_most) not valid;

comment on column ops.retention.period_least is 'The shortest period that may be set. Null: the period is fixed.';
comment on column ops.retention.period_most is 'The longest period that may be set.';

update ops.retention as r
set period_least = b.least, period_most = b.most
from (
    values
    -- Complaints about a message or an event come within weeks.
    ('booking_reasons', interval '30 days', interval '3 years'),
    ('event_reasons', interval '30 days', interval '3 years'),
    ('series_reasons', interval '30 days', interval '3 years'),
    ('waitlist_reasons', interval '30 days', interval '3 years'),
    ('history_reasons', interval '30 days', interval '3 years'),
    ('notifications', interval '30 days', interval '3 years'),
    ('reminders', interval '30 days', interval '3 years'),
    ('holds', interval '1 day', interval '1 year'),
    -- A message that is sent again needs its delivery.
    ('deliveries', interval '14 days', interval '1 year'),
    ('webhooks', interval '14 days', interval '1 year'),
    ('invitations', interval '7 days', interval '1 year'),
    ('ownership_offers', interval '7 days', interval '1 year'),
    ('alerts', interval '30 days', interval '3 years'),
    ('job_runs', interval '7 days', interval '1 year'),
    ('metrics_hourly', interval '90 days', interval '3 years'),
    -- A claim for damages lapses after three years at most.
    ('state_history', interval '1 year', interval '10 years'),
    ('changes', interval '1 year', interval '10 years'),
    ('credit_notes', interval '1 year', interval '10 years'),
    ('fee_reasons', interval '1 year', interval '10 years'),
    ('debt_reasons', interval '1 year', interval '10 years'),
    -- Ten years from the end of the business year: article 958f of the Swiss Code of Obligations.
    ('invoice_buyers', interval '11 years', interval '15 years'),
    ('stripe_events', interval '30 days', interval '1 year'),
    ('calibrations', interval '30 days', interval '3 years'),
    ('former_emails', interval '30 days', interval '1 year'),
    ('exports', interval '2 days', interval '30 days')
) as b (rule, least, most)
where r.rule = b.rule and r.period is not null;
