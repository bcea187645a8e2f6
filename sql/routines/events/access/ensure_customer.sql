-- events.ensure_customer: return the customer for whom the caller acts, and ensure that they have a profile.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- Callers act for themselves, staff for customers of their organization, and the service for anyone
-- (organizations.require_customer). A caller who signs in for the first time gets a profile from the verified claims.
-- The address in an existing profile follows the claims (users.sync_profile). A service gets no profile.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 404 customer_not_found.

create or replace function events.ensure_customer(caller_id uuid, customer_id uuid, organization_id uuid)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    the_customer_id uuid := coalesce(ensure_customer.customer_id, ensure_customer.caller_id);
begin
    if the_customer_id is null and ops.caller_is_service() then
        raise exception using errcode = 'PT404', message = 'customer_not_found',
            detail = jsonb_build_object(
                'detail', 'A service has no profile. Name the customer by `customer_id`.'
            )::text;
    end if;
    if the_customer_id is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

    if the_customer_id is distinct from ensure_customer.caller_id then
        if not events.is_staff(ensure_customer.organization_id) then
            raise exception using errcode = 'PT403', message = 'forbidden',
                detail = jsonb_build_object(
                    'detail', 'Only staff of the organization may act for another customer. Omit `customer_id`.'
                )::text;
        end if;
        perform organizations.require_customer(ensure_customer.organization_id, the_customer_id);
        return the_customer_id;
    end if;

    if not ops.caller_is_service() then
        perform users.sync_profile(ensure_customer.caller_id);
    end if;

    if exists (select from users.profiles as p where p.id = the_customer_id and p.erased_at is null) then
        return the_customer_id;
    end if;

    if ops.caller_is_service() then
        raise exception using errcode = 'PT404', message = 'customer_not_found';
    end if;

    raise exception using errcode = 'PT403', message = 'forbidden',
        detail = jsonb_build_object('detail', 'This account was erased. Sign up with a new account.')::text;
end;
$$;

comment on function events.ensure_customer(uuid, uuid, uuid) is
'Return the customer for whom the caller acts. Create the caller''s profile at the first sign-in.';
