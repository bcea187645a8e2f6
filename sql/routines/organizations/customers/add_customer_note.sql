-- organizations.add_customer_note: add a note about a customer.
--
-- For front desk, editors, admins and owners. Works once per caller and key. Locks the customer, so that simultaneous
-- calls do not exceed the limit. Returns the note.
--
-- Refuses: 403 forbidden, 404 customer_not_found, 404 note_not_found, 404 organization_not_found, 409 too_many_notes,
-- 422 idempotency_conflict.

create or replace function organizations.add_customer_note(
    organization_id uuid, customer_id uuid, note text, idempotency_key text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_customer organizations.customers;
    the_note organizations.customer_notes;
    the_first_answer text;
    notes_max integer := ops.limit_value('notes_per_customer');
begin
    perform users.refuse_erased();
    the_first_answer := ops.first_answer(
        'add_customer_note', add_customer_note.idempotency_key,
        jsonb_build_array(add_customer_note.organization_id, add_customer_note.customer_id, add_customer_note.note)
    );
    the_customer := organizations.lock_customer_record(
        add_customer_note.organization_id, add_customer_note.customer_id
    );
    if the_first_answer is not null then
        select n.* into the_note
        from organizations.customer_notes as n
        where n.id = ops.answered_id(the_first_answer) and n.customer_id = the_customer.customer_id;
        if not found then
            raise exception using errcode = 'PT404', message = 'note_not_found';
        end if;
        return organizations.note_answer(the_note);
    end if;

    if notes_max <= (
        select count(*)
        from organizations.customer_notes as n
        where n.customer_id = the_customer.customer_id and n.organization_id = the_customer.organization_id
    ) then
        raise exception using errcode = 'PT409', message = 'too_many_notes',
            detail = jsonb_build_object('most', notes_max)::text;
    end if;
    insert into organizations.customer_notes as n (organization_id, customer_id, author_id, note)
    values (
        the_customer.organization_id, the_customer.customer_id,
        case when not ops.caller_is_service() then ops.caller_id() end, add_customer_note.note
    )
    returning n.* into the_note;
    perform ops.keep_answer(
        'add_customer_note', add_customer_note.idempotency_key, jsonb_build_object('id', the_note.id)
    );
    return organizations.note_answer(the_note);
end;
$$;

comment on function organizations.add_customer_note(uuid, uuid, text, text) is 'Add a note about a customer.';

grant execute on function organizations.add_customer_note(uuid, uuid, text, text) to authenticated, service_role;
