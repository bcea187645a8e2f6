-- payments.organizer_statement_lines: return the single movements of an organizer's statement, at most 100,000.
--
-- A positive amount increases the debt to the organizer. For accountants, admins and owners.
--
-- Refuses: the same as payments.organizer_statement.

create or replace function payments.organizer_statement_lines(
    organization_id uuid, first_day date, last_day date, currency text default null
)
returns table (
    transaction_id uuid, kind text, reference_type text, reference_id uuid, recorded_at timestamptz, amount_cents bigint
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    statement jsonb := payments.organizer_statement(
        organizer_statement_lines.organization_id,
        organizer_statement_lines.first_day, organizer_statement_lines.last_day,
        organizer_statement_lines.currency
    );
begin
    return query
    select m.*
    from payments.accounts as a
    cross join lateral payments.account_movements(
        a.id,
        ops.local_instant(organizer_statement_lines.first_day, statement ->> 'time_zone'),
        ops.local_instant(organizer_statement_lines.last_day + 1, statement ->> 'time_zone')
    ) as m
    where
        a.owner_kind = 'organization'
        and a.owner_id = organizer_statement_lines.organization_id
        and a.type = 'receivable'
        and a.currency = statement ->> 'currency'
    limit 100000;
end;
$$;

comment on function payments.organizer_statement_lines(uuid, date, date, text) is
'Return the single movements of an organizer''s statement, at most 100,000.';

grant execute on function payments.organizer_statement_lines(uuid, date, date, text) to authenticated, service_role;
