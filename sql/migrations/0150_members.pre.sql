-- Let owners and admins invite members by e-mail, and owners transfer the ownership.

create table organizations.invitations (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations on delete cascade,
    email text not null constraint invited_address_can_be_written check (ops.is_address(email)),
    role organizations.member_role not null constraint ownership_is_only_transferred check (role <> 'owner'),
    language char(2) not null references ref.languages,
    status text not null default 'pending' constraint invitation_status_is_known
    check (status in ('pending', 'accepted', 'declined', 'revoked', 'expired')),
    invited_by uuid references users.profiles on delete set null,
    accepted_by uuid references users.profiles on delete set null,
    sends integer not null default 1 constraint invitation_is_sent check (sends > 0),
    sent_at timestamptz not null default now(),
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    constraint invitation_expires_later check (expires_at > sent_at),
    constraint pending_invitation_has_not_ended check ((status = 'pending') = (ended_at is null)),
    constraint only_accepted_invitation_names_a_member check (accepted_by is null or status = 'accepted')
);

create unique index one_pending_invitation on organizations.invitations (organization_id, lower(email))
where status = 'pending';
create index invitations_of_organization on organizations.invitations (organization_id, id);
create index invitations_of_address on organizations.invitations (lower(email));
create index invitations_by_inviter on organizations.invitations (invited_by, sent_at);
create index invitations_by_member on organizations.invitations (accepted_by);
create index invitations_by_language on organizations.invitations (language);

comment on table organizations.invitations is
'Invitations by e-mail to become a member. Only a person with the invited address, verified, can accept one.';
comment on column organizations.invitations.status is
'pending, accepted, declined, revoked or expired. A pending invitation after expires_at also counts as expired.';
comment on column organizations.invitations.invited_by is 'Null for the service, and after the erasure of the person.';
comment on column organizations.invitations.sends is 'The number of e-mails. Each one ends the codes of earlier ones.';

create table organizations.invitation_codes (
    secret_hash bytea primary key constraint code_is_hashed check (length(secret_hash) = 32),
    invitation_id uuid not null references organizations.invitations on delete cascade,
    created_at timestamptz not null default now()
);

create index invitation_codes_of_invitation on organizations.invitation_codes (invitation_id);

comment on table organizations.invitation_codes is
'The codes of pending invitations. An e-mail that is possibly sent twice contains two valid codes.';
comment on column organizations.invitation_codes.secret_hash is 'SHA-256 of 256 random bits.';

create table organizations.ownership_offers (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations on delete cascade,
    offered_by uuid not null references users.profiles on delete cascade,
    offered_to uuid not null references users.profiles on delete cascade,
    stays_as organizations.member_role not null constraint former_owner_stays_as_owner_or_admin
    check (stays_as in ('owner', 'admin')),
    status text not null default 'offered' constraint offer_status_is_known
    check (status in ('offered', 'accepted', 'declined', 'withdrawn', 'expired')),
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    constraint ownership_goes_to_another_person check (offered_by <> offered_to),
    constraint open_offer_has_not_ended check ((status = 'offered') = (ended_at is null))
);

create unique index one_open_ownership_offer on organizations.ownership_offers (organization_id)
where status = 'offered';
create index ownership_offers_of_organization on organizations.ownership_offers (organization_id, id);
create index ownership_offers_by_owner on organizations.ownership_offers (offered_by);
create index ownership_offers_to_member on organizations.ownership_offers (offered_to);

comment on table organizations.ownership_offers is
'Offers of owners to make another member an owner. The ownership changes only if that member accepts.';
comment on column organizations.ownership_offers.stays_as is
'The role of the offering owner after the transfer: owner for shared ownership, or admin.';
comment on column organizations.ownership_offers.status is
'offered, accepted, declined, withdrawn or expired. An open offer after expires_at also counts as expired.';

alter table organizations.invitations enable row level security;
alter table organizations.invitation_codes enable row level security;
alter table organizations.ownership_offers enable row level security;

grant select on organizations.ownership_offers to app_read, app_write;

create policy parties on organizations.ownership_offers for select to authenticated
using (
    (select ops.caller_id()) in (offered_by, offered_to)
    and organization_id in (select public.user_orgs())
);
create policy owners on organizations.ownership_offers for select to authenticated
using (organization_id in (select organizations.orgs_as('owner')));
create policy service on organizations.ownership_offers to service_role using (true) with check (true);

insert into ops.limits (name, value, meaning)
values
('invitations_per_day', 100, 'E-mails with invitations of an organization, or of a person, in 24 hours.'),
('sends_per_invitation', 5, 'E-mails of one invitation.'),
('members_per_organization', 500, 'Members and pending invitations of an organization.');

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values
('invite', 10, 30, 60, 120),
('answer_invitation', 10, 20, 60, 120),
('members', 60, 60, 600, 600);

insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, found_by)
values
(
    'organizations.invitations', '*', 'invitations', 'row', '90 days', 'r.expires_at < $1', 'delete',
    'delete', 'lower(r.email) = any ($2) or r.accepted_by = $1'
),
(
    'organizations.ownership_offers', '*', 'ownership_offers', 'row', '90 days', 'r.expires_at < $1', 'delete',
    'delete', 'r.offered_by = $1 or r.offered_to = $1'
);

insert into ops.retention (table_name, column_name, kind, on_erasure, found_by, reason)
values
('organizations.invitations', 'email', 'address', 'delete', null, null),
('organizations.invitations', 'accepted_by', 'person', 'delete', null, null),
('organizations.invitations', 'invited_by', 'person', 'null', 'r.invited_by = $1', null),
('organizations.invitations', 'status', 'code', 'keep', null, null),
('organizations.invitation_codes', 'secret_hash', 'secret', 'keep', null, 'Is deleted with its invitation.'),
('organizations.invitation_codes', 'invitation_id', 'code', 'keep', null, null),
('organizations.ownership_offers', 'offered_by', 'person', 'delete', null, null),
('organizations.ownership_offers', 'offered_to', 'person', 'delete', null, null),
('organizations.ownership_offers', 'status', 'code', 'keep', null, null);

-- An e-mail to an invited address has no person, so erasure finds it by the address. On a large table, create the index
-- concurrently before this migration.
-- squawk-ignore require-concurrent-index-creation
create index if not exists deliveries_without_person on messaging.deliveries (lower(recipient)) where user_id is null;

update ops.retention as r
set found_by = 'r.user_id = $1 or (r.user_id is null and lower(r.recipient) = any ($2))'
where r.table_name = 'messaging.deliveries' and r.column_name = '*';
