-- payments.transfer_cash: record that cash was put into a till as change, or taken out of it.
--
-- For front desk, accountants, admins and owners. `amount_cents` is negative for cash that is taken out. Works once per
-- caller and key. Locks the till alone. Returns the till's report of the current day.
--
-- Refuses: 400 idempotency_key_required, 403 forbidden, 404 organization_not_found, 409 till_short, 422
-- idempotency_conflict, 422 invalid_request.

create or replace function payments.transfer_cash(
    organization_id uuid,
    amount_cents bigint,
    idempotency_key text,
    note text,
    location_id uuid default null,
    currency text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := payments.require_desk(
        transfer_cash.organization_id, transfer_cash.location_id
    );
    the_till payments.tills;
    the_first_answer text;
begin
    perform payments.require_desk_key(transfer_cash.idempotency_key);
    if (transfer_cash.amount_cents <> 0 and transfer_cash.note <> '') is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'Name an amount other than 0, and the reason.')::text;
    end if;
    the_first_answer := ops.first_answer(
        'transfer_cash', transfer_cash.idempotency_key,
        jsonb_build_array(
            transfer_cash.organization_id, transfer_cash.amount_cents, transfer_cash.note, transfer_cash.location_id,
            transfer_cash.currency
        )
    );
    -- The caller may have lost the role while this waited for a request with the same key.
    if not payments.takes_money(the_organization.id) then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;
    if the_first_answer is not null then
        return the_first_answer::jsonb;
    end if;

    the_till := payments.lock_till(
        the_organization.id, transfer_cash.location_id, coalesce(transfer_cash.currency, the_organization.currency),
        alone => true
    );

    perform payments.require_cash(the_till, -transfer_cash.amount_cents);
    perform payments.add_till_movement(
        the_till, 'transfer', 'cash', transfer_cash.amount_cents, note => transfer_cash.note
    );
    return ops.keep_answer(
        'transfer_cash', transfer_cash.idempotency_key,
        payments.read_till(the_organization.id, transfer_cash.location_id, null, transfer_cash.currency)
    );
end;
$$;

comment on function payments.transfer_cash(uuid, bigint, text, text, uuid, text) is
'Record that cash was put into a till as change, or taken out of it.';

grant execute on function payments.transfer_cash(uuid, bigint, text, text, uuid, text) to authenticated, service_role;
