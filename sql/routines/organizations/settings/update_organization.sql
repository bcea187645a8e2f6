-- organizations.update_organization: change an organization's settings and business details.
--
-- `changes` has columns of organizations.organizations and organizations.business_details by name. A missing member
-- keeps its value. For admins and owners, and for the service. Records the change. Returns the organization.
--
-- A slug changes once in 30 days, and the former one redirects. The currency is fixed after the first payment. Times of
-- waitlists and holds apply to events, holds and offers that are made later. Locks the organization's row, and then its
-- occupancies if double bookings are treated in another way.
--
-- Refuses: 404 organization_not_found, 403 forbidden, 409 slug_taken, 409 slug_changed_lately, 409 currency_fixed,
-- 409 double_booked, 422 invalid_request.

create or replace function organizations.update_organization(organization_id uuid, changes jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    former organizations.organizations := organizations.lock_organization(
        update_organization.organization_id, 'admin', 'owner'
    );
    edited organizations.organizations;
    before jsonb := organizations.recorded_settings(organizations.settings_answer(former.id));
begin
    perform organizations.check_country(changes);
    perform events.check_references(former.id, jsonb_build_object(
        'language', changes ->> 'language', 'time_zone', changes ->> 'time_zone', 'currency', changes ->> 'currency'
    ));
    edited := jsonb_populate_record(former, changes);

    if
        edited.slug <> former.slug
        and not ops.caller_is_service()
        and former.slug_changed_at > statement_timestamp() - interval '720 hours'
    then
        raise exception using errcode = 'PT409', message = 'slug_changed_lately',
            detail = jsonb_build_object('again_at', former.slug_changed_at + interval '720 hours')::text;
    end if;

    if edited.currency <> former.currency and (
        exists (select from payments.quotes as q where q.organization_id = former.id)
        or exists (select from payments.purchases as p where p.organization_id = former.id)
        or exists (select from payments.sales as s where s.organization_id = former.id)
        or exists (select from payments.credit_lots as l where l.organization_id = former.id)
    ) then
        raise exception using errcode = 'PT409', message = 'currency_fixed',
            detail = jsonb_build_object('currency', former.currency)::text;
    end if;

    if edited.double_booking <> former.double_booking then
        perform events.enforce_occupancies(former.id, edited.double_booking = 'refuse');
    end if;

    update organizations.organizations as o
    set
        slug = edited.slug,
        slug_changed_at = case
            when edited.slug <> former.slug then statement_timestamp() else former.slug_changed_at
        end,
        name = edited.name,
        country = edited.country,
        currency = edited.currency,
        time_zone = edited.time_zone,
        language = edited.language,
        branding = edited.branding,
        online_hold_minutes = edited.online_hold_minutes,
        desk_hold_minutes = edited.desk_hold_minutes,
        offer_minutes = edited.offer_minutes,
        last_offer_minutes = edited.last_offer_minutes,
        offers_most = edited.offers_most,
        reminder_hours = edited.reminder_hours,
        double_booking = edited.double_booking
    where o.id = former.id;
    perform organizations.write_business_details(former.id, changes);

    perform organizations.record_change(
        former.id, 'organization.changed', former.id, before,
        organizations.recorded_settings(organizations.settings_answer(former.id))
    );
    return organizations.settings_answer(former.id);
exception
    when unique_violation then
        raise exception using errcode = 'PT409', message = 'slug_taken',
            detail = jsonb_build_object('slug', changes ->> 'slug')::text;
end;
$$;

comment on function organizations.update_organization(uuid, jsonb) is
'Change an organization''s settings and business details. Returns the organization.';

grant execute on function organizations.update_organization(uuid, jsonb) to authenticated, service_role;
