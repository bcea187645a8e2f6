-- A request that books a whole series makes up to 60 bookings.

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values ('book_series', 2, 3, 100, 100);
