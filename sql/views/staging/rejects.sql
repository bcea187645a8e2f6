-- staging.rejects: the rows of the last import that were rejected, with file, line and reason.

create or replace view staging.rejects with (security_invoker = true) as
select
    o.file || '.csv' as file,
    o.line,
    o.legacy_id,
    o.reason
from staging.outcomes as o
where o.outcome = 'rejected';

comment on view staging.rejects is 'Rows of the last import that were rejected: file, line, reason.';

grant select on staging.rejects to app_write;
