-- Let people create and change organizations: slugs with redirects, business details, archiving, and limits.

alter table organizations.organizations
add column slug_changed_at timestamptz,
add column archived_at timestamptz,
add column double_booking text not null default 'report' constraint double_booking_is_known
check (double_booking in ('refuse', 'report'));

comment on column organizations.organizations.slug_changed_at is
'When the slug changed last: it may change once in 30 days. Null: never.';
comment on column organizations.organizations.archived_at is
'An archived organization takes no new bookings, holds and waitlist entries; null: it is open.';
comment on column organizations.organizations.double_booking is
'refuse: two events never have one room, instructor or resource at the same time. report: they are only listed.';

-- Public routes accept an id or a slug. Existing rows are not checked, because none has such a slug.
alter table organizations.organizations add constraint slug_is_no_id
check (slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') not valid;

create table organizations.slugs (
    slug text primary key constraint used_slug_is_plain
    check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 80),
    organization_id uuid not null references organizations.organizations on delete cascade,
    created_at timestamptz not null default now()
);

create index slugs_of_organization on organizations.slugs (organization_id);

comment on table organizations.slugs is
'Every slug that an organization has or had. A former slug redirects, and no other organization may take it.';

insert into organizations.slugs (slug, organization_id)
select
    o.slug,
    o.id
from organizations.organizations as o
on conflict do nothing;

create table organizations.business_details (
    organization_id uuid primary key references organizations.organizations on delete cascade,
    legal_name text constraint legal_name_is_short check (length(legal_name) between 1 and 200),
    street text constraint street_is_short check (length(street) between 1 and 200),
    postal_code text constraint postal_code_is_short check (length(postal_code) between 1 and 20),
    city text constraint city_is_short check (length(city) between 1 and 100),
    contact_email text,
    contact_phone text constraint phone_is_international check (contact_phone ~ '^\+[1-9][0-9]{6,14}$'),
    website text constraint website_is_https check (website ~ '^https://[^\s]+$' and length(website) <= 500),
    tax_number text constraint tax_number_is_compact check (tax_number ~ '^[A-Z0-9]{4,20}$'),
    invoice_due_days integer not null default 14 constraint invoice_is_due_within_a_quarter
    check (invoice_due_days between 1 and 90),
    invoice_note text constraint invoice_note_is_short check (length(invoice_note) between 1 and 1000),
    updated_at timestamptz not null default now(),
    constraint business_texts_are_readable check (
        ops.is_line(legal_name)
        and ops.is_line(street)
        and ops.is_line(postal_code)
        and ops.is_line(city)
        and ops.is_line(website)
        and ops.is_text(invoice_note)
    ),
    constraint contact_email_is_an_address check (ops.is_address(contact_email))
);

comment on table organizations.business_details is
'The legal side of an organization, for its staff and its invoices. Without a row, nothing is known.';
comment on column organizations.business_details.tax_number is
'The number of its value-added tax, as the country writes it without spaces and punctuation.';
comment on column organizations.business_details.invoice_due_days is
'An invoice is due this many days after its issue.';
comment on column organizations.business_details.invoice_note is 'A text at the end of each invoice.';

alter table organizations.slugs enable row level security;
alter table organizations.business_details enable row level security;

grant select on organizations.slugs, organizations.business_details to app_read, app_write;

create policy anyone on organizations.slugs for select to anon, authenticated using (true);
create policy service on organizations.slugs to service_role using (true) with check (true);
create policy money_staff on organizations.business_details for select to authenticated
using (organization_id in (select organizations.orgs_as('accountant', 'admin', 'owner')));
create policy service on organizations.business_details to service_role using (true) with check (true);

alter table events.terms add column archived boolean not null default false;

comment on column events.terms.archived is 'Whether the organization is archived: nobody may take seats.';

insert into ops.limits (name, value, meaning)
values
('organizations_per_person', 5, 'Organizations that a person owns. 0: only the service creates organizations.'),
('places_per_organization', 500, 'Locations of an organization, and its rooms, instructors and resources: of each.');

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values
('create_organization', 5, 5, 60, 60),
('edit_organization', 60, 60, 600, 600);

insert into ops.retention (table_name, column_name, kind, on_erasure)
values
('organizations.organizations', 'double_booking', 'code', 'keep'),
('organizations.slugs', 'slug', 'content', 'keep'),
('organizations.business_details', 'legal_name', 'content', 'keep'),
('organizations.business_details', 'street', 'content', 'keep'),
('organizations.business_details', 'postal_code', 'content', 'keep'),
('organizations.business_details', 'city', 'content', 'keep'),
('organizations.business_details', 'contact_email', 'content', 'keep'),
('organizations.business_details', 'contact_phone', 'content', 'keep'),
('organizations.business_details', 'website', 'content', 'keep'),
('organizations.business_details', 'tax_number', 'content', 'keep'),
('organizations.business_details', 'invoice_note', 'content', 'keep');
