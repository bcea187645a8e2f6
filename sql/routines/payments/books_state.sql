-- payments.books_state: whether the books are sound, in a word that anybody may hear.
--
-- sound: at the last check, not older than five minutes, each currency's accounts came to zero and the last walk of the
-- whole ledger found nothing; unsound: not so; unknown: nobody looked. The figures are for the service.

create or replace function payments.books_state(at timestamptz default statement_timestamp())
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
        and h.checked_at > books_state.at - interval '5 minutes';
$$;

comment on function payments.books_state(timestamptz) is 'Whether the books are sound, in a word.';

grant execute on function payments.books_state(timestamptz) to app_read;
