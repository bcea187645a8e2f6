-- payments.close_till: close a day of a till with the cash that was counted, and store its report for good.
--
-- For front desk, accountants, admins and owners. It covers every day since the former closing. The difference to the
-- expected cash is posted, then the deposit leaves the till; the rest is the next opening balance. Terminal takings
-- leave with it, because the terminal's provider pays them out. Money that is taken on this day after the closing
-- counts for the next day. The same count again returns the stored report. Locks the till alone.
--
-- Refuses: 403 forbidden, 404 organization_not_found, 409 till_closed, with the last closed day; 422 invalid_request,
-- for a day in the future or a deposit that exceeds the count.

create or replace function payments.close_till(
    organization_id uuid,
    counted_cents bigint,
    location_id uuid default null,
    day date default null,
    deposited_cents bigint default 0,
    note text default null,
    currency text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := payments.require_desk(
        close_till.organization_id, close_till.location_id
    );
    the_till payments.tills;
    the_closing payments.till_closings;
    the_stored payments.till_closings;
    the_day date := coalesce(
        close_till.day, (statement_timestamp() at time zone the_organization.time_zone)::date
    );
begin
    if
        (close_till.counted_cents >= 0 and close_till.deposited_cents between 0 and close_till.counted_cents)
        is not true
        or the_day > (statement_timestamp() at time zone the_organization.time_zone)::date
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The day must not be in the future, and the deposit must not exceed the counted cash.'
            )::text;
    end if;

    the_till := payments.lock_till(
        the_organization.id, close_till.location_id, coalesce(close_till.currency, the_organization.currency),
        alone => true
    );

    select c.* into the_stored
    from payments.till_closings as c
    where c.till_id = the_till.id
    order by c.day desc
    limit 1;
    if the_stored.day >= the_day then
        select c.* into the_stored
        from payments.till_closings as c
        where c.till_id = the_till.id and c.day >= the_day
        order by c.day
        limit 1;
        if
            (the_stored.day, the_stored.counted_cents, the_stored.deposited_cents, the_stored.note)
            is not distinct from (the_day, close_till.counted_cents, close_till.deposited_cents, close_till.note)
        then
            return payments.till_report(the_till, the_stored);
        end if;
        raise exception using errcode = 'PT409', message = 'till_closed',
            detail = jsonb_build_object('day', the_stored.day, 'counted_cents', the_stored.counted_cents)::text;
    end if;

    the_closing := payments.till_figures(the_till, the_day);
    the_closing.id := ops.uuid_v7();
    the_closing.counted_cents := close_till.counted_cents;
    the_closing.difference_cents := close_till.counted_cents - the_closing.expected_cents;
    the_closing.deposited_cents := close_till.deposited_cents;
    the_closing.note := close_till.note;
    the_closing.closed_by := ops.caller_id();
    the_closing.closed_at := statement_timestamp();

    perform payments.add_till_movement(
        the_till, m.kind, m.method, m.amount_cents, the_closing.id, null, the_day
    )
    from (
        values
        ('difference', 'cash', the_closing.difference_cents),
        ('deposit', 'cash', -the_closing.deposited_cents),
        ('deposit', 'terminal', the_closing.terminal_refunded_cents - the_closing.terminal_taken_cents)
    ) as m (kind, method, amount_cents);

    insert into payments.till_closings
    select (the_closing).*;
    return payments.till_report(the_till, the_closing);
end;
$$;

comment on function payments.close_till(uuid, bigint, uuid, date, bigint, text, text) is
'Close a day of a till with the cash that was counted, and store its report for good.';

grant execute on function payments.close_till(uuid, bigint, uuid, date, bigint, text, text)
to authenticated, service_role;
