-- organizations.create_organization: create an organization, whose owner is the caller.
--
-- `details` has columns of organizations.organizations and organizations.business_details by name. The service names
-- the owner as `owner_id`. Idempotent per caller and key. Returns the organization with its settings.
--
-- Locks the person, so that the limit of organizations per owner also holds for concurrent requests. The limit
-- `organizations_per_person` with the value 0 reserves the creation to the service. Archived organizations do not
-- count.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 403 organizations_reserved, 404 customer_not_found, 409 slug_taken,
-- 409 too_many_organizations, 422 idempotency_conflict, 422 invalid_request.

create or replace function organizations.create_organization(details jsonb, idempotency_key text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_owner_id uuid := ops.caller_id();
    the_most integer := ops.limit_value('organizations_per_person');
    the_organization organizations.organizations;
    the_first_answer text;
begin
    if ops.caller_is_service() then
        the_owner_id := (details ->> 'owner_id')::uuid;
        if not exists (select from users.profiles as p where p.id = the_owner_id and p.erased_at is null) then
            raise exception using errcode = 'PT404', message = 'customer_not_found';
        end if;
    elsif the_owner_id is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    elsif the_most = 0 then
        raise exception using errcode = 'PT403', message = 'organizations_reserved';
    elsif (details ->> 'owner_id')::uuid is distinct from the_owner_id and details ->> 'owner_id' is not null then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'You become the owner yourself. Omit `owner_id`.')::text;
    else
        the_owner_id := events.ensure_customer(the_owner_id, null, null);
    end if;

    if jsonb_typeof(details) is distinct from 'object' then
        raise exception using errcode = 'PT422', message = 'invalid_request';
    end if;

    the_first_answer := ops.first_answer('create_organization', create_organization.idempotency_key, details);
    if the_first_answer is not null then
        return the_first_answer::jsonb;
    end if;

    perform organizations.check_country(details);
    perform events.check_references(null, jsonb_build_object(
        'language', details ->> 'language', 'time_zone', details ->> 'time_zone', 'currency', details ->> 'currency'
    ));

    perform events.lock_person(the_owner_id);
    -- The person may have been erased while this waited.
    perform users.refuse_erased();
    if not ops.caller_is_service() and the_most <= (
        select count(*)
        from organizations.memberships as m
        inner join organizations.organizations as o on o.id = m.organization_id
        where m.user_id = the_owner_id and m.role = 'owner' and o.archived_at is null
    ) then
        raise exception using errcode = 'PT409', message = 'too_many_organizations',
            detail = jsonb_build_object('most', the_most)::text;
    end if;

    the_organization := jsonb_populate_record(
        null::organizations.organizations, '{"language": "en", "branding": {}}' || jsonb_strip_nulls(details)
    );
    insert into organizations.organizations (
        slug, name, country, currency, time_zone, language, branding, double_booking
    )
    values (
        the_organization.slug, the_organization.name, the_organization.country, the_organization.currency,
        the_organization.time_zone, the_organization.language, the_organization.branding,
        coalesce(the_organization.double_booking, 'refuse')
    )
    returning * into the_organization;

    insert into organizations.memberships (organization_id, user_id, role)
    values (the_organization.id, the_owner_id, 'owner');
    perform organizations.write_business_details(the_organization.id, details);
    perform organizations.record_change(
        the_organization.id, 'organization.created', the_organization.id, null,
        organizations.recorded_settings(organizations.settings_answer(the_organization.id))
    );
    return ops.keep_answer(
        'create_organization', create_organization.idempotency_key,
        organizations.settings_answer(the_organization.id)
    );
exception
    when unique_violation then
        raise exception using errcode = 'PT409', message = 'slug_taken',
            detail = jsonb_build_object('slug', details ->> 'slug')::text;
end;
$$;

comment on function organizations.create_organization(jsonb, text) is
'Create an organization, whose owner is the caller. Idempotent per caller and key.';

grant execute on function organizations.create_organization(jsonb, text) to authenticated, service_role;
