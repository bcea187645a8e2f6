-- Where exports of an earlier system wait to be converted: text as it came, and what became of each row.

create schema staging;

comment on schema staging is 'Exports of an earlier system as they came, and what became of each row.';

grant usage on schema staging to app_write;

create table staging.class_templates (
    line bigint primary key,
    problem text,
    id text,
    organization_id text,
    name text,
    description text,
    category text,
    time_zone text,
    recurrence_rule text,
    start_date text,
    end_date text,
    start_time text,
    duration_minutes text,
    capacity text,
    price text,
    currency text,
    instructor_name text,
    location_name text,
    location_city text,
    is_active text,
    created_at text
);

create table staging.class_instances (
    line bigint primary key,
    problem text,
    id text,
    template_id text,
    organization_id text,
    name text,
    description text,
    start_time text,
    end_time text,
    time_zone text,
    capacity text,
    price text,
    currency text,
    instructor_name text,
    location_name text,
    location_city text,
    status text,
    created_at text
);

create table staging.class_registrations (
    line bigint primary key,
    problem text,
    id text,
    class_instance_id text,
    customer_id text,
    customer_email text,
    customer_name text,
    seats text,
    status text,
    amount_paid text,
    currency text,
    payment_method text,
    registered_at text,
    cancelled_at text
);

create table staging.waitlists (
    line bigint primary key,
    problem text,
    id text,
    class_instance_id text,
    customer_id text,
    customer_email text,
    customer_name text,
    seats text,
    position text,
    status text,
    joined_at text
);

create table staging.outcomes (
    file text not null constraint file_is_known
    check (file in ('class_templates', 'class_instances', 'class_registrations', 'waitlists')),
    line bigint not null,
    legacy_id text,
    outcome text not null constraint outcome_is_known check (outcome in ('converted', 'unchanged', 'rejected')),
    reason text,
    primary key (file, line),
    constraint only_rejects_have_a_reason check ((outcome = 'rejected') = (reason is not null))
);

comment on table staging.outcomes is 'What became of each row of the last import: exactly one outcome a row.';
comment on column staging.outcomes.line is 'Where the row begins in its file, counted from 1 with the header.';

create index outcomes_by_legacy_id on staging.outcomes (file, legacy_id);

alter table staging.class_templates enable row level security;
alter table staging.class_instances enable row level security;
alter table staging.class_registrations enable row level security;
alter table staging.waitlists enable row level security;
alter table staging.outcomes enable row level security;
create policy service on staging.outcomes to service_role using (true) with check (true);
grant select on staging.outcomes to app_write;
