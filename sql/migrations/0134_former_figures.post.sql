-- Drop the former schedule, whose totals cover one page only (events.instructor_schedule_v2), and the revenue of a
-- booking (payments.revenue and payments.spending are derived from the ledger).

-- squawk-ignore ban-drop-function  -- a post migration runs after the code that called them
drop function if exists
events.instructor_schedule(uuid, date, date, integer),
events.spent_cents(events.booking_status, bigint, bigint);
