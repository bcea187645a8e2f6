-- Let people request their erasure, which takes place after seven days unless they cancel it.

create table users.erasure_requests (
    user_id uuid primary key references users.profiles on delete cascade,
    requested_at timestamptz not null default statement_timestamp(),
    due_at timestamptz not null,
    constraint erasure_is_due_later check (due_at > requested_at)
);

create index erasure_requests_by_time on users.erasure_requests (due_at);

comment on table users.erasure_requests is
'People who will be erased when their request is due. Deleting the row cancels it.';

alter table users.erasure_requests enable row level security;
grant select on users.erasure_requests to app_read, app_write;
create policy own on users.erasure_requests for select to authenticated
using (user_id = (select ops.caller_id()));
create policy service on users.erasure_requests to service_role using (true) with check (true);

insert into ops.export_rules (table_name, found_by)
values ('users.erasure_requests', 'r.user_id = $1');

insert into ops.retention (table_name, column_name, kind, on_erasure, found_by)
values ('users.erasure_requests', '*', 'row', 'delete', 'r.user_id = $1');

insert into ops.retention (table_name, column_name, kind, on_erasure)
values ('users.erasure_requests', 'user_id', 'person', 'delete');
