-- Record who read other people's personal data: callers, organization, operation, people, rows, time and request.
--
-- Only ops.record_access adds to it, in the transaction of the read. Nothing changes or deletes a row; a month is
-- dropped after 13 months (ops.partition_policies). No foreign keys: the log outlives what it names and blocks no
-- deletion.

create table ops.access_log (
    id uuid not null default ops.uuid_v7(),
    accessed_at timestamptz not null default clock_timestamp(),
    organization_id uuid,
    caller_id uuid,
    caller_role text not null,
    operation text not null constraint operation_is_a_name check (operation ~ '^[a-z][a-z_]{0,63}$'),
    event_id uuid,
    people text[] not null default '{}',
    row_count bigint not null constraint rows_were_read check (row_count > 0),
    request_id text constraint request_id_is_short check (length(request_id) <= 200),
    primary key (accessed_at, id),
    constraint service_has_no_id check (caller_id is not null or caller_role = 'service_role')
) partition by range (accessed_at);

create table ops.access_log_default partition of ops.access_log default;

create index access_log_of_organization on ops.access_log (organization_id, accessed_at, id);
create index access_log_of_people on ops.access_log using gin (people);

comment on table ops.access_log is 'Who read other people''s personal data. Append-only, kept for 13 months.';
comment on column ops.access_log.organization_id is 'Whose customers they are; a read has one row for each.';
comment on column ops.access_log.caller_id is 'Who read; null for the service.';
comment on column ops.access_log.people is
'Ids of the people, or of raters, whose data the rows hold; empty where rows name nobody.';

alter table ops.access_log enable row level security;
alter table ops.access_log_default enable row level security;

insert into ops.partition_policies (table_name, months_behind, months_ahead, retention_months)
values ('ops.access_log', 1, 3, 13);
