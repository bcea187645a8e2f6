-- What is kept of limits, of the access log and of sealed secrets, and for how long.

insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, found_by)
values
(
    'rating.voter_days', '*', 'voter_days', 'row', '1 day', 'r.day < ($1 at time zone ''utc'')::date', 'delete',
    'delete', 'r.voter_id = $1::text'
);

insert into ops.retention (table_name, column_name, kind, on_erasure, reason)
values
('rating.voter_days', 'voter_id', 'person', 'delete', null),
('ops.access_log', 'caller_id', 'person', 'keep', 'Who read. A month is dropped after 13 months.'),
('ops.access_log', 'people', 'person', 'keep', 'Proves who saw whose data. A month is dropped after 13 months.'),
('messaging.webhook_secrets', 'sealed', 'secret', 'keep', 'The endpoint''s, not a person''s. Ends with the endpoint.');

insert into ops.retention (table_name, column_name, kind, on_erasure)
values
('ops.access_log', 'caller_role', 'code', 'keep'),
('ops.access_log', 'operation', 'code', 'keep'),
('ops.access_log', 'request_id', 'code', 'keep'),
('ops.limits', 'name', 'code', 'keep'),
('ops.limits', 'meaning', 'system', 'keep');
