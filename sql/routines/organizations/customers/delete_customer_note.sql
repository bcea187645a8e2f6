-- organizations.delete_customer_note: delete a note about a customer.
--
-- For its author while they are front desk, editor, admin or owner, and for admins and owners.
--
-- Refuses: 403 forbidden, 404 customer_not_found, 404 note_not_found, 404 organization_not_found.

create or replace function organizations.delete_customer_note(organization_id uuid, customer_id uuid, note_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_customer organizations.customers;
begin
    perform users.refuse_erased();
    the_customer := organizations.lock_customer_record(
        delete_customer_note.organization_id, delete_customer_note.customer_id
    );
    if exists (
        select
        from organizations.customer_notes as n
        where
            n.id = delete_customer_note.note_id
            and n.customer_id = the_customer.customer_id
            and n.organization_id = the_customer.organization_id
            and n.author_id is distinct from ops.caller_id()
    ) and not organizations.caller_is(the_customer.organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only its author, admins and owners delete a note.')::text;
    end if;

    delete from organizations.customer_notes as n
    where
        n.id = delete_customer_note.note_id
        and n.customer_id = the_customer.customer_id
        and n.organization_id = the_customer.organization_id;
    if not found then
        raise exception using errcode = 'PT404', message = 'note_not_found';
    end if;
end;
$$;

comment on function organizations.delete_customer_note(uuid, uuid, uuid) is 'Delete a note about a customer.';

grant execute on function organizations.delete_customer_note(uuid, uuid, uuid) to authenticated, service_role;
