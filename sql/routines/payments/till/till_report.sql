-- payments.till_report: return the report of a till, closed or open, as the API shows it.
--
-- Internal.

create or replace function payments.till_report(till payments.tills, closing payments.till_closings)
returns jsonb
language sql
stable
return jsonb_build_object(
    'id', (till_report.closing).id,
    'till_id', (till_report.till).id,
    'organization_id', (till_report.till).organization_id,
    'location_id', (till_report.till).location_id,
    'currency', (till_report.till).currency,
    'first_day', (till_report.closing).first_day,
    'day', (till_report.closing).day,
    'opening_cents', (till_report.closing).opening_cents,
    'taken', jsonb_build_object(
        'cash_cents', (till_report.closing).cash_taken_cents,
        'terminal_cents', (till_report.closing).terminal_taken_cents
    ),
    'refunded', jsonb_build_object(
        'cash_cents', (till_report.closing).cash_refunded_cents,
        'terminal_cents', (till_report.closing).terminal_refunded_cents
    ),
    'transferred_cents', (till_report.closing).transferred_cents,
    'expected_cents', (till_report.closing).expected_cents,
    'counted_cents', (till_report.closing).counted_cents,
    'difference_cents', (till_report.closing).difference_cents,
    'deposited_cents', (till_report.closing).deposited_cents,
    'note', (till_report.closing).note,
    'closed_at', (till_report.closing).closed_at
);

comment on function payments.till_report(payments.tills, payments.till_closings) is
'Return the report of a till, closed or open, as the API shows it.';
