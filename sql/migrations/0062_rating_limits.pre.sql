-- A batch on demand works for everybody, and counting anew holds up all that an organization rates: neither as often as
-- anybody likes. And a view of places that nothing asks for: pages of the leaderboard count them on from page to page.

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values
('process_ratings', 10, 10, 60, 60),
('restart_ratings', 2, 2, 20, 20);

drop view if exists rating.leaderboard;
