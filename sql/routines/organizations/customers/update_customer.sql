-- organizations.update_customer: change the tags of a customer, and the details of a walk-in.
--
-- For front desk, editors, admins and owners. `changes` has the members to change: tags of anyone; name, email, phone
-- and language of a walk-in. People with an account change their details themselves. Idempotent. Takes the lock of the
-- organization's walk-ins for a new address, then those of organizations.lock_customer_record.
--
-- Refuses: 403 forbidden, 404 customer_not_found, 404 organization_not_found, 409 customer_exists, 409
-- customer_has_account, 422 invalid_request.

create or replace function organizations.update_customer(organization_id uuid, customer_id uuid, changes jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_changes constant jsonb := update_customer.changes;
    the_customer organizations.customers;
    known_id uuid;
begin
    perform users.refuse_erased();
    perform organizations.require_customer_record(
        update_customer.organization_id, update_customer.customer_id, 'front_desk', 'editor', 'admin', 'owner'
    );
    if the_changes ? 'email' then
        perform organizations.lock_walk_ins(update_customer.organization_id);
    end if;
    the_customer := organizations.lock_customer_record(
        update_customer.organization_id, update_customer.customer_id
    );

    if not the_customer.walk_in and the_changes ?| array['name', 'email', 'phone', 'language'] then
        raise exception using errcode = 'PT409', message = 'customer_has_account';
    end if;
    if
        (the_changes ? 'name' and users.is_name(the_changes ->> 'name') is not true)
        or (
            the_changes ? 'language'
            and not exists (select from ref.languages as l where l.code = the_changes ->> 'language')
        )
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'The name or the language is not valid.')::text;
    end if;
    known_id := organizations.customer_at_address(the_customer.organization_id, the_changes ->> 'email');
    if known_id <> the_customer.customer_id then
        raise exception using errcode = 'PT409', message = 'customer_exists',
            detail = jsonb_build_object('customer_id', known_id)::text;
    end if;

    if the_changes ?| array['name', 'language'] then
        update users.profiles as p
        set
            name = coalesce(the_changes ->> 'name', p.name),
            language = coalesce(the_changes ->> 'language', p.language)
        where p.id = the_customer.customer_id;
    end if;
    update organizations.customers as c
    set
        email = case when the_changes ? 'email' then the_changes ->> 'email' else c.email end,
        phone = case when the_changes ? 'phone' then the_changes ->> 'phone' else c.phone end,
        tags = case
            when the_changes ? 'tags' then array(select jsonb_array_elements_text(the_changes -> 'tags'))
            else c.tags
        end
    where c.organization_id = the_customer.organization_id and c.customer_id = the_customer.customer_id;
    return organizations.show_customer(the_customer.organization_id, the_customer.customer_id);
end;
$$;

comment on function organizations.update_customer(uuid, uuid, jsonb) is
'Change the tags of a customer, and the details of a walk-in.';

grant execute on function organizations.update_customer(uuid, uuid, jsonb) to authenticated, service_role;
