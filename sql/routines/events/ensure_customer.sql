-- events.ensure_customer: for whom this is done, and that they exist.
--
-- Internal: runs with the rights and the search path of the routine that calls it.
--
-- A caller acts for themself, staff for any customer. A caller who signs in for the first time gets a profile from the
-- verified claims, and the address of a known one follows them (users.follow_token). A service gets none.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 404 customer_not_found.

create or replace function events.ensure_customer(caller_id uuid, customer_id uuid, organization_id uuid)
returns uuid
language plpgsql
as $$
declare
    the_customer_id uuid := coalesce(ensure_customer.customer_id, ensure_customer.caller_id);
begin
    if the_customer_id is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

    if
        the_customer_id is distinct from ensure_customer.caller_id
        and not events.is_staff(ensure_customer.organization_id)
    then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only staff of the organization may act for somebody else.')::text;
    end if;

    if the_customer_id is not distinct from ensure_customer.caller_id and not ops.caller_is_service() then
        perform users.follow_token(ensure_customer.caller_id);
    end if;

    if exists (select from users.profiles as p where p.id = the_customer_id and p.erased_at is null) then
        return the_customer_id;
    end if;

    if the_customer_id is distinct from ensure_customer.caller_id or ops.caller_is_service() then
        raise exception using errcode = 'PT404', message = 'customer_not_found';
    end if;

    raise exception using errcode = 'PT403', message = 'forbidden',
        detail = jsonb_build_object('detail', 'This account was erased.')::text;
end;
$$;

comment on function events.ensure_customer(uuid, uuid, uuid) is
'The customer for whom the caller may act, with a profile made at the first sign-in.';
