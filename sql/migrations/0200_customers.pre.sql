-- List the customers of an organization, with people who have no account.

create function organizations.are_tags(value text[])
returns boolean
language sql
immutable
parallel safe
return cardinality(are_tags.value) <= 20
and array_position(are_tags.value, null) is null
-- A tag is 1 to 40 characters without commas, which separate tags in files.
and ops.is_line(array_to_string(are_tags.value, ','))
and ',' || array_to_string(are_tags.value, ',') || ',' !~ ', | ,|,[^,]{41}'
and cardinality(string_to_array(array_to_string(are_tags.value, ','), ',')) = cardinality(are_tags.value)
and array_position(are_tags.value, '') is null;

comment on function organizations.are_tags(text[]) is
'Return whether these are valid tags: at most 20, each of 1 to 40 characters of one line without commas.';

create table organizations.customers (
    organization_id uuid not null references organizations.organizations on delete cascade,
    customer_id uuid not null references users.profiles on delete cascade,
    walk_in boolean not null default false,
    email text constraint address_of_walk_in_can_be_written check (ops.is_address(email)),
    phone text constraint phone_can_be_dialled check (
        phone ~ '^\+?[0-9][0-9 ()./-]{3,29}$' and ops.is_line(phone)
    ),
    tags text[] not null default '{}' constraint tags_are_valid check (organizations.are_tags(tags)),
    blocked_at timestamptz,
    blocked_by uuid references users.profiles on delete set null,
    block_reason text constraint block_reason_is_readable check (
        length(block_reason) between 1 and 500 and ops.is_text(block_reason)
    ),
    words text[] not null default '{}',
    sort_name text collate "C" not null default '',
    request_hash bytea constraint request_is_hashed check (length(request_hash) = 32),
    created_at timestamptz not null default now(),
    primary key (organization_id, customer_id),
    constraint only_walk_ins_have_entered_addresses check (walk_in or (email is null and phone is null)),
    constraint only_blocked_customers_have_a_reason check (
        blocked_at is not null or (blocked_by is null and block_reason is null)
    )
);

create index customers_by_name on organizations.customers (organization_id, sort_name, customer_id);
create unique index blocked_customers on organizations.customers (organization_id, customer_id)
where blocked_at is not null;
create unique index one_walk_in_per_address on organizations.customers (organization_id, lower(email))
where email is not null;
create unique index one_walk_in_per_request on organizations.customers (request_hash)
where request_hash is not null;
create index walk_ins_of_organization on organizations.customers (organization_id, created_at) where walk_in;
create index customers_of_person on organizations.customers (customer_id);
create index customers_by_blocker on organizations.customers (blocked_by) where blocked_by is not null;

comment on table organizations.customers is
'People who came to an organization, and walk-ins: people without an account, whom its staff entered.';
comment on column organizations.customers.email is
'The address of a walk-in as staff entered it. It is not verified, so nothing but a code to claim the record is sent.';
comment on column organizations.customers.words is
'The words by which the customer is found, sorted: of the name, the address, the phone number and the tags.';
comment on column organizations.customers.sort_name is 'The name in lower case without accents. Empty: no name.';
comment on column organizations.customers.request_hash is
'SHA-256 of the caller and the Idempotency-Key that created a walk-in.';

create table organizations.customer_words (
    organization_id uuid not null,
    word text collate "C" not null,
    customer_id uuid not null,
    primary key (organization_id, word, customer_id),
    constraint words_of_a_customer foreign key (organization_id, customer_id)
    references organizations.customers on delete cascade
);

create index customer_words_of_person on organizations.customer_words (customer_id, organization_id);

comment on table organizations.customer_words is
'The index of organizations.customers.words: one row for each word of a customer.';

create table organizations.customer_notes (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null,
    customer_id uuid not null,
    author_id uuid references users.profiles on delete set null,
    note text not null constraint customer_note_is_readable check (
        length(note) between 1 and 2000 and ops.is_text(note)
    ),
    created_at timestamptz not null default now(),
    constraint notes_of_a_customer foreign key (organization_id, customer_id)
    references organizations.customers on delete cascade
);

create index notes_of_customer on organizations.customer_notes (customer_id, organization_id, id);
create index notes_by_author on organizations.customer_notes (author_id) where author_id is not null;
create index notes_by_age on organizations.customer_notes (created_at);

comment on table organizations.customer_notes is 'Notes of an organization''s staff about its customers.';
comment on column organizations.customer_notes.author_id is
'Null for the service, and after the erasure of the person.';

alter table organizations.customers enable row level security;
alter table organizations.customer_words enable row level security;
alter table organizations.customer_notes enable row level security;

insert into ops.limits (name, value, meaning)
values
('walk_ins_per_day', 20000, 'People without an account whom an organization enters in 24 hours.'),
('notes_per_customer', 200, 'Notes of an organization about one customer.');

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values
-- A search for each letter that staff type.
('search_customers', 300, 300, 3000, 3000),
('customers', 60, 60, 600, 600),
-- A file enters up to 5,000 people.
('import_customers', 5, 5, 50, 50);

insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, found_by)
values
(
    'organizations.customer_notes', '*', 'customer_notes', 'row', '3 years', 'r.created_at < $1', 'delete',
    'delete', 'r.customer_id = $1'
);

insert into ops.retention (table_name, column_name, kind, on_erasure, found_by)
values
('organizations.customer_words', '*', 'row', 'delete', 'r.customer_id = $1'),
('organizations.customers', '*', 'row', 'delete', 'r.customer_id = $1');

insert into ops.retention (table_name, column_name, kind, on_erasure, found_by, reason)
values
('organizations.customer_notes', 'author_id', 'person', 'null', 'r.author_id = $1', null),
('organizations.customer_notes', 'customer_id', 'person', 'delete', null, null),
('organizations.customer_notes', 'note', 'text', 'delete', null, null),
('organizations.customer_words', 'customer_id', 'person', 'delete', null, null),
('organizations.customer_words', 'word', 'text', 'delete', null, null),
('organizations.customers', 'blocked_by', 'person', 'null', 'r.blocked_by = $1', null),
('organizations.customers', 'block_reason', 'text', 'delete', null, null),
('organizations.customers', 'customer_id', 'person', 'delete', null, null),
('organizations.customers', 'email', 'address', 'delete', null, null),
('organizations.customers', 'phone', 'text', 'delete', null, null),
('organizations.customers', 'request_hash', 'code', 'delete', null, null),
('organizations.customers', 'sort_name', 'name', 'delete', null, null),
('organizations.customers', 'tags', 'text', 'delete', null, null),
('organizations.customers', 'words', 'text', 'delete', null, null);
