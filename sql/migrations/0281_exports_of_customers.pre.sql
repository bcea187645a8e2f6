-- Export what organizations note about a customer, and the names of the people who attend with them.

insert into ops.export_rules (table_name, found_by)
values
('events.booking_names', 'r.booking_id in (select b.id from events.bookings as b where b.customer_id = $1)'),
('organizations.customers', 'r.customer_id = $1'),
('organizations.customer_notes', 'r.customer_id = $1');

insert into ops.export_rules (table_name, reason)
values
('events.access_links', 'Hashes of secret links of organizations.'),
('events.closures', 'Closed periods of organizations.'),
('events.substitutions', 'Records of organizations. They name the person only as an instructor.'),
('organizations.customer_words', 'Words for the search of customers. The customers are in the export.');
