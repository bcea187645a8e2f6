-- People, and the organizations that they belong to.

create table users.profiles (
    id uuid primary key default ops.uuid_v7(),
    email text constraint email_has_an_at check (email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
    name text constraint name_is_short check (length(name) <= 200),
    language char(2) not null default 'en' references ref.languages,
    created_at timestamptz not null default now(),
    erased_at timestamptz,
    constraint erased_means_nameless check (erased_at is null or (email is null and name is null))
);

create index on users.profiles (language);

comment on column users.profiles.id is 'The subject of the person''s token.';

create type organizations.member_role as enum (
    'viewer', 'editor', 'admin', 'owner', 'instructor', 'front_desk', 'accountant'
);

create table organizations.organizations (
    id uuid primary key default ops.uuid_v7(),
    slug text not null unique constraint slug_is_plain check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 80),
    name text not null constraint organization_name_is_short check (length(name) between 1 and 200),
    country char(2) not null references ref.countries,
    currency char(3) not null references ref.currencies,
    time_zone text not null references ref.timezones,
    language char(2) not null default 'en' references ref.languages,
    branding jsonb not null default '{}' constraint branding_is_an_object check (jsonb_typeof(branding) = 'object'),
    online_hold_minutes integer not null default 15 constraint online_hold_is_short
    check (online_hold_minutes between 1 and 120),
    desk_hold_minutes integer not null default 5 constraint desk_hold_is_short
    check (desk_hold_minutes between 1 and 120),
    offer_minutes integer not null default 15 constraint offer_is_short check (offer_minutes between 1 and 1440),
    last_offer_minutes integer not null default 60 constraint last_offer_is_before_the_start
    check (last_offer_minutes between 0 and 10080),
    offers_most integer not null default 2 constraint somebody_gets_an_offer check (offers_most between 1 and 10),
    created_at timestamptz not null default now()
);

create index on organizations.organizations (country);
create index on organizations.organizations (currency);
create index on organizations.organizations (time_zone);
create index on organizations.organizations (language);

comment on column organizations.organizations.offer_minutes is 'How long a waitlist offer keeps its seats.';
comment on column organizations.organizations.last_offer_minutes is 'No offers from this long before the start on.';
comment on column organizations.organizations.offers_most is
'A person who lets this many offers lapse leaves the waitlist; until then each lapse sends them to its end.';

create table organizations.memberships (
    organization_id uuid not null references organizations.organizations on delete cascade,
    user_id uuid not null references users.profiles on delete cascade,
    role organizations.member_role not null,
    created_at timestamptz not null default now(),
    primary key (user_id, organization_id)
);

create index on organizations.memberships (organization_id, role);

create table organizations.locations (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations on delete cascade,
    name text not null constraint location_name_is_short check (length(name) between 1 and 200),
    address text,
    city text not null,
    country char(2) not null references ref.countries,
    time_zone text not null references ref.timezones,
    created_at timestamptz not null default now(),
    unique (organization_id, id)
);

create index on organizations.locations (country);
create index on organizations.locations (time_zone);
create index on organizations.locations (lower(city));

create table organizations.instructors (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations on delete cascade,
    user_id uuid references users.profiles on delete set null,
    name text not null constraint instructor_name_is_short check (length(name) between 1 and 200),
    bio text,
    created_at timestamptz not null default now(),
    unique (organization_id, id)
);

create index on organizations.instructors (user_id);

comment on table organizations.instructors is
'Who leads events, as the public sees them; an instructor who signs in is linked to a profile.';

create table organizations.policies (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations on delete cascade,
    name text not null constraint policy_name_is_short check (length(name) between 1 and 200),
    opens_days_before integer constraint opens_within_two_years check (opens_days_before between 0 and 730),
    closes_minutes_before integer not null default 0 constraint closes_within_a_month
    check (closes_minutes_before between -1440 and 43200),
    cancel_hours_before integer not null default 24 constraint cancel_within_a_quarter
    check (cancel_hours_before between 0 and 2160),
    late_fee_cents bigint not null default 0 constraint late_fee_is_not_negative check (late_fee_cents >= 0),
    late_credit_lost boolean not null default true,
    no_show_fee_cents bigint not null default 0 constraint no_show_fee_is_not_negative check (no_show_fee_cents >= 0),
    refund_to text not null default 'original' constraint refund_to_is_known
    check (refund_to in ('original', 'wallet')),
    created_at timestamptz not null default now(),
    unique (organization_id, id)
);

comment on column organizations.policies.opens_days_before is
'Booking opens so many days before the start; null: at once.';
comment on column organizations.policies.closes_minutes_before is
'Sales end so many minutes before the start; negative: after it.';

create function public.user_orgs()
returns setof uuid
language sql
stable
security definer
set search_path = ''
as $$
    select m.organization_id
    from organizations.memberships as m
    where m.user_id = ops.caller_id();
$$;

comment on function public.user_orgs() is 'The organizations that the caller is a member of.';

create function public.current_org_id()
returns uuid
language sql
stable
security definer
set search_path = ''
as $$
    select m.organization_id
    from organizations.memberships as m
    where m.user_id = ops.caller_id() and m.organization_id = (ops.claims() ->> 'org_id')::uuid;
$$;

comment on function public.current_org_id() is
'The organization that the caller acts for, as the token claims it; null unless the caller is a member.';

create function organizations.orgs_as(variadic roles organizations.member_role[])
returns setof uuid
language sql
stable
security definer
set search_path = ''
as $$
    select m.organization_id
    from organizations.memberships as m
    where m.user_id = ops.caller_id() and m.role = any (orgs_as.roles);
$$;

comment on function organizations.orgs_as(organizations.member_role[]) is
'The organizations in which the caller has one of these roles.';

create function organizations.caller_is(organization_id uuid, variadic roles organizations.member_role[])
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
    return ops.caller_is_service() or exists (
        select
        from organizations.memberships as m
        where
            m.user_id = ops.caller_id()
            and m.organization_id = caller_is.organization_id
            and m.role = any (caller_is.roles)
    );
end;
$$;

comment on function organizations.caller_is(uuid, organizations.member_role[]) is
'Whether the caller has one of these roles in the organization; a service has them all.';
