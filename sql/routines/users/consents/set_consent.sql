-- users.set_consent: record the caller's decision about marketing of an organization for a purpose.
--
-- A consent names the version of its wording. A decision that already holds is not recorded again. Creates a missing
-- profile from the claims. Locks the person, so that decisions have an order and an erasure leaves no row.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 404 organization_not_found, 422 invalid_request.

create or replace function users.set_consent(organization_id uuid, purpose text, granted boolean, wording text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform users.own_profile();
    perform events.lock_person(ops.caller_id());
    perform users.refuse_erased();

    if not exists (select from organizations.organizations as o where o.id = set_consent.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    if
        (
            set_consent.purpose in ('newsletter', 'offers', 'surveys')
            and (not set_consent.granted or set_consent.wording ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$')
        ) is not true
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'A consent needs a known purpose and the version of the wording that the person accepted.'
            )::text;
    end if;

    perform users.add_consent(
        ops.caller_id(), set_consent.organization_id, set_consent.purpose, set_consent.granted,
        case when set_consent.granted then set_consent.wording end, 'profile'
    );
end;
$$;

comment on function users.set_consent(uuid, text, boolean, text) is
'Record the caller''s decision about marketing of an organization for a purpose.';

grant execute on function users.set_consent(uuid, text, boolean, text) to authenticated, service_role;
