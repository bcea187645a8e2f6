-- Let the look-up of a person's bookings at an organization read the index alone (organizations.has_customer).
--
-- The organization travels along in the index of a person's bookings, so that a booking writes no index entry more.

create index bookings_of_customer_by_id on events.bookings (customer_id, id) include (organization_id);
drop index events.bookings_of_customer;
