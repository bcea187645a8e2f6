-- Let organizations set tax rates of their own by date, such as none below the threshold for registration.

create table organizations.tax_rates (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations on delete cascade,
    category text not null default 'standard',
    valid_from date not null,
    rate_bps integer constraint own_tax_rate_is_a_share check (rate_bps between 0 and 10000),
    created_at timestamptz not null default now(),
    constraint one_tax_rate_from_a_day unique (organization_id, category, valid_from)
);

comment on table organizations.tax_rates is
'Tax rates of an organization by date, in hundredths of a percent, which replace those of its country there.';
comment on column organizations.tax_rates.category is
'A category of events that has a rate of its own (ref.event_categories), else standard: all others.';
comment on column organizations.tax_rates.rate_bps is 'Null: from this day the rate of the country applies again.';

alter table organizations.tax_rates enable row level security;

grant select on organizations.tax_rates to app_read, app_write;

create policy members on organizations.tax_rates for select to authenticated
using (organization_id in (select public.user_orgs()));
create policy service on organizations.tax_rates to service_role using (true) with check (true);

insert into ops.retention (table_name, column_name, kind, on_erasure)
values ('organizations.tax_rates', 'category', 'code', 'keep');
