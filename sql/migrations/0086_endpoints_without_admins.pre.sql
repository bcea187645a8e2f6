-- A webhook endpoint is switched off when the erasure of a person leaves its organization
-- without an owner and an admin.

alter table messaging.webhook_endpoints
drop constraint disabled_reason_is_known,
add constraint disabled_reason_is_known check (disabled_reason in ('by_hand', 'gone', 'failing', 'no_admin'));
