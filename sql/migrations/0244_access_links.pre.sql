-- Secret links and codes by which people without a membership see and book a private event.

create table events.access_links (
    id uuid not null default ops.uuid_v7() constraint access_links_pkey primary key,
    event_id uuid not null references events.terms on delete cascade,
    secret_hash bytea not null constraint access_secret_is_hashed check (length(secret_hash) = 32),
    code_hash bytea not null constraint access_code_is_hashed check (length(code_hash) = 32),
    created_at timestamptz not null default now(),
    revoked_at timestamptz,
    constraint access_secret_is_unique unique (secret_hash)
);

create index access_links_of_event on events.access_links (event_id);

comment on table events.access_links is
'Secret links to events, each with a code. Anyone who has one sees and books the event, though it is private.';
comment on column events.access_links.secret_hash is 'SHA-256 of 256 random bits in the address.';
comment on column events.access_links.code_hash is 'SHA-256 of the event''s id and a code of 60 random bits.';

alter table events.access_links enable row level security;

insert into ops.retention (table_name, column_name, kind, on_erasure, reason)
values
('events.access_links', 'secret_hash', 'secret', 'keep', 'It opens an event, and is of no person.'),
('events.access_links', 'code_hash', 'secret', 'keep', 'It opens an event, and is of no person.');

-- A wrong secret costs as much as a right one.
insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values ('access_link', 20, 20, 60, 60);
