-- events.ensure_customer: return the customer for whom the caller acts, with a profile.
--
-- Internal: runs with the rights and the search path of the routine that calls it.
--
-- A caller acts for themself, staff for people who came to the organization, the service for everybody
-- (organizations.require_customer). A caller who signs in for the first time gets a profile from the verified claims;
-- in the language of their locale (fr, fr-CH, fr_CH) where it is known, else in English.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 404 customer_not_found.

create or replace function events.ensure_customer(caller_id uuid, customer_id uuid, organization_id uuid)
returns uuid
language plpgsql
as $$
declare
    the_customer_id uuid := coalesce(ensure_customer.customer_id, ensure_customer.caller_id);
    the_claims jsonb;
begin
    if the_customer_id is null and ops.caller_is_service() then
        raise exception using errcode = 'PT404', message = 'customer_not_found',
            detail = jsonb_build_object('detail', 'A service has no profile. Name the customer by customer_id.')::text;
    end if;
    if the_customer_id is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

    if the_customer_id is distinct from ensure_customer.caller_id then
        if not events.is_staff(ensure_customer.organization_id) then
            raise exception using errcode = 'PT403', message = 'forbidden',
                detail = jsonb_build_object(
                    'detail', 'Only staff of the organization may act for somebody else.'
                )::text;
        end if;
        perform organizations.require_customer(ensure_customer.organization_id, the_customer_id);
        return the_customer_id;
    end if;

    if exists (select from users.profiles as p where p.id = the_customer_id and p.erased_at is null) then
        return the_customer_id;
    end if;

    the_claims := ops.claims();
    insert into users.profiles (id, email, name, language)
    values (
        ensure_customer.caller_id,
        case when the_claims ->> 'email' ~ '^[^@\s]+@[^@\s]+$' and length(the_claims ->> 'email') <= 254
            then the_claims ->> 'email' end,
        left(the_claims ->> 'name', 200),
        coalesce(
            (
                select l.code
                from ref.languages as l
                where l.code = lower(substring(the_claims ->> 'locale' from '^([A-Za-z]{2})(?:[-_].*)?$'))
            ),
            'en'
        )
    )
    on conflict do nothing;

    if exists (select from users.profiles as p where p.id = ensure_customer.caller_id and p.erased_at is not null) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'This account was erased.')::text;
    end if;
    return ensure_customer.caller_id;
end;
$$;

comment on function events.ensure_customer(uuid, uuid, uuid) is
'The customer for whom the caller may act, with a profile made at the first sign-in.';
