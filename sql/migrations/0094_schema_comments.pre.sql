-- Describe two schemas and two functions plainly.

comment on schema messaging is 'Messages to people (e-mails, notifications, reminders) and webhooks to subscribers.';
comment on schema ops is 'Operations: identity, limits, jobs, metrics, alerts, retention, the access log.';

comment on function rating.private_organizations() is
'Return the organizations whose scores only their members may read. For policies.';

comment on function users.is_name(text) is
'Return whether a text is valid as a name: one line of 1 to 200 characters, at least one of them visible.';
