-- payments.add_till_movement: record that money entered a till, or left it, and post it in the ledger.
--
-- `amount_cents` is positive into the till; zero records nothing. The organization's clearing account is what its tills
-- and its terminal hold, and its cash account is the owner of that money. So both stay equal, and the platform's
-- clearing account stays what Stripe holds. `day` is set by a closing only. The caller holds payments.lock_till.
-- Internal. Returns the movement's id.

create or replace function payments.add_till_movement(
    till payments.tills,
    kind text,
    method text,
    amount_cents bigint,
    subject_id uuid default null,
    note text default null,
    day date default null
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_id uuid := ops.uuid_v7();
    the_kind text := 'till_' || case
        when add_till_movement.kind in ('booking', 'package', 'fee', 'invoice') then 'taking'
        else add_till_movement.kind
    end;
    the_transaction_id uuid;
begin
    if add_till_movement.amount_cents = 0 then
        return null;
    end if;

    the_transaction_id := payments.post_between_owners(
        kind => the_kind,
        currency => (add_till_movement.till).currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'organization', 'id', (add_till_movement.till).organization_id, 'type', 'clearing',
                'cents', add_till_movement.amount_cents
            ),
            jsonb_build_object(
                'owner', 'organization', 'id', (add_till_movement.till).organization_id, 'type', 'cash',
                'cents', -add_till_movement.amount_cents
            )
        ),
        idempotency_key => 'till:' || the_id,
        reference_type => 'till',
        reference_id => (add_till_movement.till).id
    );

    insert into payments.till_movements (
        id, till_id, organization_id, day, kind, method, amount_cents, subject_id, note, transaction_id, recorded_by
    )
    values (
        the_id, (add_till_movement.till).id, (add_till_movement.till).organization_id,
        coalesce(add_till_movement.day, payments.till_day(add_till_movement.till)),
        add_till_movement.kind, add_till_movement.method, add_till_movement.amount_cents, add_till_movement.subject_id,
        add_till_movement.note, the_transaction_id, ops.caller_id()
    );
    return the_id;
end;
$$;

comment on function payments.add_till_movement(payments.tills, text, text, bigint, uuid, text, date) is
'Record that money entered a till, or left it, and post it in the ledger.';
