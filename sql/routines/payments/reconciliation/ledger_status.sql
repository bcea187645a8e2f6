-- payments.ledger_status: return in one word whether the books are sound, for the service.
--
-- sound: the last check is not older than five minutes, it found that the accounts of each currency come to zero, and
-- the last walk of the whole ledger found nothing. unsound: it found otherwise. unknown: there was no check.

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

comment on function payments.ledger_status(timestamptz) is 'Whether the books are sound, in a word.';

revoke execute on function payments.ledger_status(timestamptz) from app_read;
grant execute on function payments.ledger_status(timestamptz) to service_role;
