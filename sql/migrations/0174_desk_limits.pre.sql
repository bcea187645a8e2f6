-- Limits on the work of a front desk.

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values
-- A desk takes money from a queue of people, and never faster than one in a second.
('take_money', 60, 60, 600, 600),
-- A file reads up to 10,000 rows.
('export_list', 10, 10, 100, 100);
