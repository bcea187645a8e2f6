-- Let people read their notifications and choose which messages they receive.

-- On a large table, create the index concurrently before this migration.
-- squawk-ignore require-concurrent-index-creation
create index if not exists unread_notifications on messaging.notifications (user_id) where read_at is null;

create table messaging.preferences (
    user_id uuid not null references users.profiles on delete cascade,
    family text not null constraint family_is_a_name check (family ~ '^[a-z][a-z_]{0,39}$'),
    channel text not null constraint channel_of_preference_is_known check (channel in ('app', 'email')),
    delivery text not null constraint delivery_of_preference_is_known check (delivery in ('immediately', 'off')),
    updated_at timestamptz not null default now(),
    primary key (user_id, family, channel)
);

comment on table messaging.preferences is
'How a person receives the messages of a family on a channel. Without a row: immediately.';
comment on column messaging.preferences.family is
'As the catalogue of topics names it. Topics without a family, such as payments and cancellations, are always sent.';

alter table messaging.preferences enable row level security;
grant select on messaging.preferences to app_read, app_write;
create policy own on messaging.preferences for select to authenticated
using (user_id = (select ops.caller_id()));
create policy service on messaging.preferences to service_role using (true) with check (true);

create table messaging.unsubscribe_keys (
    id integer generated always as identity primary key,
    inner_secret bytea not null constraint inner_secret_is_long check (length(inner_secret) >= 64),
    outer_secret bytea not null constraint outer_secret_is_long check (length(outer_secret) >= 64),
    created_at timestamptz not null default now()
);

comment on table messaging.unsubscribe_keys is
'Random keys that sign the links to unsubscribe. The newest one signs, and all verify: a deleted key ends its links.';

alter table messaging.unsubscribe_keys enable row level security;

-- Each half has four UUIDs of 122 random bits.
insert into messaging.unsubscribe_keys (inner_secret, outer_secret)
select
    (select string_agg(uuid_send(gen_random_uuid()), '' order by n) from generate_series(1, 4) as n) as inner_secret,
    (select string_agg(uuid_send(gen_random_uuid()), '' order by n) from generate_series(1, 4) as n) as outer_secret;

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values
('notifications', 120, 120, 6000, 6000),
('unsubscribe', 60, 60, 600, 600);

insert into ops.retention (table_name, column_name, kind, on_erasure, found_by)
values ('messaging.preferences', '*', 'row', 'delete', 'r.user_id = $1');

insert into ops.retention (table_name, column_name, kind, on_erasure, reason)
values
('messaging.preferences', 'user_id', 'person', 'delete', null),
('messaging.preferences', 'family', 'code', 'delete', null),
('messaging.preferences', 'channel', 'code', 'delete', null),
('messaging.preferences', 'delivery', 'code', 'delete', null),
('messaging.unsubscribe_keys', 'inner_secret', 'secret', 'keep', 'The system''s, not a person''s.'),
('messaging.unsubscribe_keys', 'outer_secret', 'secret', 'keep', 'The system''s, not a person''s.');
