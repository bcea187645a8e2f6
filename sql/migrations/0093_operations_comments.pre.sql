-- Describe the tables and columns of operations and messages plainly.

comment on table messaging.deliveries is
'E-mails by message and recipient. The key prevents a repeated message from being sent twice.';
comment on column messaging.deliveries.lease_until is
'A worker is sending it until then. Afterwards that worker counts as dead, and another one sends it again.';
comment on column messaging.deliveries.uncertain is
'An attempt ended without a known result, so the next one is marked as sent again.';

comment on column messaging.notifications.about_id is
'The customer whom the text is about, if the reader is another person. Erasing that customer deletes it.';

comment on table messaging.reminded_events is
'Events whose reminders have all been written for this due time. They are not checked again.';
comment on column messaging.reminded_events.due_at is
'The start minus the organization''s reminder hours. An event that is moved has a new due time and is due again.';

comment on table messaging.reminders is
'Bookings whose customers were reminded. Each is reminded once, even if the event is moved afterwards.';

comment on table messaging.webhook_endpoints is 'URLs to which an organization''s messages are sent as webhooks.';
comment on column messaging.webhook_endpoints.topics is 'The topics that it receives; null: all.';
comment on column messaging.webhook_endpoints.failing_since is 'The first failed attempt since the last success.';

comment on table messaging.webhook_deliveries is
'Messages to an endpoint. The id is the webhook-id, the same for every attempt.';
comment on column messaging.webhook_deliveries.outbox_id is 'The message in the outbox; null for a requested test.';
comment on column messaging.webhook_deliveries.attempts is 'The number of all attempts that were started.';
comment on column messaging.webhook_deliveries.tries is
'The number of attempts started since it was created or last resent by hand.';

comment on table messaging.webhook_attempts is 'The result of each attempt. An attempt whose worker died has no row.';
comment on column messaging.webhook_attempts.response is 'The first 1,024 characters of the response''s body.';

comment on table messaging.webhook_secrets is
'Secrets that sign deliveries: the current one, and replaced ones until they expire.';
comment on column messaging.webhook_secrets.secret is
'A plain secret that was stored before sealing existed. The job seal_webhook_secrets empties it.';

comment on table ops.access_log is 'Reads of other people''s personal data. Append-only, kept for 13 months.';
comment on column ops.access_log.organization_id is
'The organization of the people. A read has one row for each organization.';
comment on column ops.access_log.caller_id is 'The person who read the data; null for the service.';
comment on column ops.access_log.people is
'Ids of the people or raters whose data the rows hold; empty if the rows name nobody.';

comment on table ops.alert_recipients is 'Addresses that receive an e-mail when an alert fires or resolves.';

comment on table ops.idempotency_keys is
'The first response to each keyed request. It is kept for a week and repeated exactly.';

comment on table ops.jobs is
'Jobs that must succeed regularly. A job without a success for late_after_seconds is late.';

comment on table ops.limits is
'Limits that apply in all organizations. Change `value` without a deployment; a deleted row means no limit.';

comment on table ops.partition_policies is
'Tables partitioned by month: the months created ahead, and the months after which one is dropped (null: never).';

comment on table ops.rate_limit_rules is 'How often a caller, and a source address, may call an operation.';
comment on table ops.rate_limits is
'Token buckets, stored as the time when each will be full again. Unlogged: a crash only refills them.';

comment on table ops.state_history is
'Every change of state, with its caller and reason. The first state is the creation of the row itself.';

comment on table ops.transitions is 'The allowed changes of state. ops.enforce_transition refuses all others.';

comment on function ops.is_line(text) is
'Return whether a text is one readable line: no control characters, and none that open or close a writing direction.';
comment on function ops.is_text(text) is
'Return whether a text of several lines is readable: as ops.is_line, but tabs and line ends are allowed.';
comment on function ops.is_address(text) is 'Return whether an e-mail address has a form that mail software accepts.';
comment on function ops.uuid_v7() is 'Return a UUID of version 7, which sorts by the time of its creation.';
