-- Limits on reads that write a row of the access log, and on reads that scan many rows.

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values
-- A front desk pages through rosters, and opens bookings one by one.
('read_records', 300, 300, 6000, 6000),
-- A voter's own events are found by a scan of all events of their organization.
('list_rating_events', 20, 20, 300, 300),
-- An item's rank is counted. A hall of people shares one address.
('read_item', 120, 120, 600, 600);
