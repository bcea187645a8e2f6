-- payments.organizer_statement: return an organizer's opening balance, movements and closing balance for days of its
-- time zone.
--
-- The balances are those of its receivable account at the start of the first day and the end of the last. Movements are
-- summed by kind. Revenue is the sum of all movements except settlements (payments.movement_group), so opening balance,
-- revenue and settlements add up to the closing balance, which is still to be paid out. For accountants, admins and
-- owners.
--
-- Refuses: 404 organization_not_found, 422 invalid_request.

create or replace function payments.organizer_statement(
    organization_id uuid, first_day date, last_day date, currency text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations;
    the_account_id uuid;
    begins_at timestamptz;
    ends_at timestamptz;
    the_currency text;
begin
    select o.* into the_organization
    from organizations.organizations as o
    where o.id = organizer_statement.organization_id;

    if not found or not organizations.caller_is(the_organization.id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    if
        (organizer_statement.last_day - organizer_statement.first_day between 0 and 366) is not true
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'A statement covers 1 to 367 days. Choose `from` and `to` within this limit.'
            )::text;
    end if;

    the_currency := coalesce(upper(organizer_statement.currency), the_organization.currency);
    begins_at := ops.local_instant(organizer_statement.first_day, the_organization.time_zone);
    ends_at := ops.local_instant(organizer_statement.last_day + 1, the_organization.time_zone);

    select a.id into the_account_id
    from payments.accounts as a
    where
        a.owner_kind = 'organization'
        and a.owner_id = the_organization.id
        and a.type = 'receivable'
        and a.currency = the_currency;

    return (
        select jsonb_build_object(
            'organization_id', the_organization.id,
            'currency', the_currency,
            'time_zone', the_organization.time_zone,
            'first_day', organizer_statement.first_day,
            'last_day', organizer_statement.last_day,
            'opening_cents', payments.balance_before(the_account_id, begins_at),
            'movements', coalesce(
                jsonb_agg(
                    jsonb_build_object('kind', m.kind, 'count', m.count, 'amount_cents', m.amount_cents)
                    order by m.kind
                ),
                '[]'
            ),
            'revenue_cents', coalesce(sum(m.amount_cents) filter (where not m.settles), 0),
            'settled_cents', coalesce(sum(m.amount_cents) filter (where m.settles), 0),
            'closing_cents', payments.balance_before(the_account_id, ends_at)
        )
        from (
            select
                l.kind,
                payments.movement_group(l.kind) = 'settlement' as settles,
                count(*) as count,
                sum(l.amount_cents)::bigint as amount_cents
            from payments.account_movements(the_account_id, begins_at, ends_at) as l
            group by l.kind
        ) as m
    );
end;
$$;

comment on function payments.organizer_statement(uuid, date, date, text) is
'Return an organizer''s opening balance, movements and closing balance for days of its time zone.';

grant execute on function payments.organizer_statement(uuid, date, date, text) to authenticated, service_role;
