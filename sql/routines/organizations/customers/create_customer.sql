-- organizations.create_customer: enter a person without an account, for whom staff can then book.
--
-- For front desk, editors, admins and owners. Works once per caller and key. The key's record holds no data of the
-- person: a repeated request finds the customer by the hash of caller and key. Takes the lock of the organization's
-- walk-ins, under which an address is compared with those of all customers. Returns the customer.
--
-- Refuses: 400 idempotency_key_required, 403 forbidden, 404 customer_not_found, 404 organization_not_found, 409
-- customer_exists, 409 too_many_walk_ins, 422 idempotency_conflict, 422 invalid_request.

create or replace function organizations.create_customer(organization_id uuid, details jsonb, idempotency_key text)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations;
    the_request_hash bytea;
    known_id uuid;
    the_answer jsonb;
begin
    perform users.refuse_erased();
    perform events.require_organization(
        create_customer.organization_id, 'front_desk', 'editor', 'admin', 'owner'
    );
    if create_customer.idempotency_key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required';
    end if;
    if users.is_name(create_customer.details ->> 'name') is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'A customer needs a name.')::text;
    end if;

    the_request_hash := sha256(convert_to(
        concat_ws(' ', 'create_customer', ops.caller_id(), create_customer.idempotency_key), 'UTF8'
    ));
    if ops.first_answer(
        'create_customer', create_customer.idempotency_key,
        jsonb_build_array(create_customer.organization_id, create_customer.details)
    ) is null then
        perform organizations.lock_walk_ins(create_customer.organization_id);
        -- The caller may have lost the role while this waited.
        the_organization := events.require_organization(
            create_customer.organization_id, 'front_desk', 'editor', 'admin', 'owner'
        );
        known_id := organizations.customer_at_address(the_organization.id, create_customer.details ->> 'email');
        if known_id is not null then
            raise exception using errcode = 'PT409', message = 'customer_exists',
                detail = jsonb_build_object('customer_id', known_id)::text;
        end if;
        perform organizations.limit_walk_ins(the_organization.id, 1);
        perform organizations.add_walk_in(
            the_organization.id, create_customer.details, the_organization.language::text, the_request_hash
        );
    end if;

    select organizations.customer_answer(c, p) into the_answer
    from organizations.customers as c
    inner join users.profiles as p on p.id = c.customer_id
    where c.request_hash = the_request_hash and c.organization_id = create_customer.organization_id;
    if not found then
        raise exception using errcode = 'PT404', message = 'customer_not_found';
    end if;
    return the_answer;
end;
$$;

comment on function organizations.create_customer(uuid, jsonb, text) is
'Enter a person without an account, for whom staff can then book.';

grant execute on function organizations.create_customer(uuid, jsonb, text) to authenticated, service_role;
