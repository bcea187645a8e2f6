-- Insert a webhook endpoint of the organization with its deliveries.
insert into messaging.webhook_endpoints (id, organization_id, url)
values (%(webhook_endpoint)s, %(organization)s, 'https://example.org/hook');

insert into messaging.webhook_secrets (endpoint_id, sealed)
values (%(webhook_endpoint)s, 'v1.k1.' || repeat('A', 100));

insert into messaging.webhook_deliveries (id, endpoint_id, topic, key, payload, occurred_at, next_attempt_at)
values (%(webhook_delivery)s, %(webhook_endpoint)s, 'booking.confirmed', 'key', '{}', now(), now());

insert into messaging.webhook_attempts (delivery_id, number, started_at, duration_ms)
values (%(webhook_delivery)s, 1, now(), 5);

insert into payments.webhook_inbox (event_id, type, livemode, created_at, payload, received_at, available_at)
values ('evt_' || %(side)s, 'payout.paid', true, now(), '{}', now(), now());
