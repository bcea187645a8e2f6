-- payments.ledger_status: return whether the ledger is sound, unsound or unknown, for the service.
--
-- sound: the accounts of each currency sum to zero, and the last verification of the whole ledger found nothing.
-- unsound: one of the two found a fault. unknown: there is no health check of the last five minutes.

create or replace function payments.ledger_status(at timestamptz default statement_timestamp())
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select case
        when count(*) < 2 then 'unknown'
        when bool_and(h.status = 'healthy') then 'sound'
        else 'unsound'
    end
    from ops.health_checks as h
    where
        h.name in ('ledger_unbalanced_currencies', 'ledger_findings')
        and h.checked_at > ledger_status.at - interval '5 minutes';
$$;

comment on function payments.ledger_status(timestamptz) is
'Return whether the ledger is sound, unsound or unknown, for the service.';

revoke execute on function payments.ledger_status(timestamptz) from app_read;
grant execute on function payments.ledger_status(timestamptz) to service_role;
