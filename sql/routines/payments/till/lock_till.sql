-- payments.lock_till: lock and return the till for a place: the location's own, or else the organization's.
--
-- Creates the organization's till in this currency if it does not exist. Takings share the lock, so desks do not wait
-- for each other. With `alone`, for a closing or a payout, nobody else changes the till until the transaction ends. It
-- is the last lock before balances. The caller's right is checked after the wait. Read the till's movements after this.
-- Internal.
--
-- Refuses: 403 forbidden, to callers who may not take money (payments.takes_money), 422 invalid_request, for a currency
-- that does not exist.

create or replace function payments.lock_till(
    organization_id uuid, location_id uuid, currency text, alone boolean default false
)
returns payments.tills
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_till payments.tills;
begin
    for attempt in 1 .. 2 loop
        select t.* into the_till
        from payments.tills as t
        where
            t.organization_id = lock_till.organization_id
            and t.currency = lock_till.currency
            and (t.location_id = lock_till.location_id or t.location_id is null)
        order by t.location_id is null
        limit 1;

        exit when found;

        if not exists (select from ref.currencies as c where c.code = lock_till.currency) then
            raise exception using errcode = 'PT422', message = 'invalid_request',
                detail = jsonb_build_object('detail', 'There is no such currency. Send a code like CHF.')::text;
        end if;
        insert into payments.tills (organization_id, currency, opened_by)
        values (lock_till.organization_id, lock_till.currency, ops.caller_id())
        on conflict on constraint one_till_per_place_and_currency do nothing;
    end loop;

    if lock_till.alone then
        perform from payments.tills as t where t.id = the_till.id for no key update;
    else
        perform from payments.tills as t where t.id = the_till.id for share;
    end if;
    if not payments.takes_money(the_till.organization_id) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only front desk, accountants, admins and owners may take or pay out money.'
            )::text;
    end if;
    return the_till;
end;
$$;

comment on function payments.lock_till(uuid, uuid, text, boolean) is
'Lock and return the till for a place: the location''s own, or else the organization''s.';
