-- organizations.save_policy: create a booking policy, or change or archive one.
--
-- Without an id it creates a booking policy. `changes` has columns of organizations.policies by name, and `archived`. A
-- missing member keeps its value. A change applies to events that are made or get the policy later: events and bookings
-- keep the terms of their snapshot (events.policy_snapshot). For admins and owners, and for the service. Records the
-- change. Locks the organization's row. Returns the policy.
--
-- Refuses: 404 organization_not_found, 404 policy_not_found, 403 forbidden, 409 too_many_places, 422 invalid_request.

create or replace function organizations.save_policy(
    organization_id uuid, changes jsonb, policy_id uuid default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := organizations.lock_organization(
        save_policy.organization_id, 'admin', 'owner'
    );
    former organizations.policies;
    edited organizations.policies;
begin
    if save_policy.policy_id is null then
        perform organizations.limit_places(
            (select count(*) from organizations.policies as r where r.organization_id = the_organization.id)
        );
        -- Null seats mean the platform's maximum, and a missing member the column's default.
        edited := jsonb_populate_record(
            null::organizations.policies,
            jsonb_build_object(
                'closes_minutes_before', 0,
                'cancel_hours_before', 24,
                'late_fee_cents', 0,
                'late_credit_lost', true,
                'no_show_fee_cents', 0,
                'refund_to', 'original',
                'seats_max_per_person', 20,
                'no_shows_within_days', 90
            ) || changes || jsonb_build_object(
                'id', ops.uuid_v7(), 'organization_id', the_organization.id, 'created_at', statement_timestamp()
            )
        );
        insert into organizations.policies
        select edited.*;
        perform organizations.record_change(
            the_organization.id, 'policy.created', edited.id, null, to_jsonb(edited)
        );
        return to_jsonb(edited);
    end if;

    select r.* into former
    from organizations.policies as r
    where r.id = save_policy.policy_id and r.organization_id = the_organization.id;

    if not found then
        raise exception using errcode = 'PT404', message = 'policy_not_found';
    end if;

    edited := jsonb_populate_record(former, changes);
    update organizations.policies as r
    set
        name = edited.name,
        opens_days_before = edited.opens_days_before,
        closes_minutes_before = edited.closes_minutes_before,
        cancel_hours_before = edited.cancel_hours_before,
        late_fee_cents = edited.late_fee_cents,
        late_refund_percent = edited.late_refund_percent,
        late_credit_lost = edited.late_credit_lost,
        no_show_fee_cents = edited.no_show_fee_cents,
        refund_to = edited.refund_to,
        seats_max_per_person = edited.seats_max_per_person,
        no_show_after_minutes = edited.no_show_after_minutes,
        blocked_after_no_shows = edited.blocked_after_no_shows,
        no_shows_within_days = edited.no_shows_within_days,
        archived_at = case
            when (changes ->> 'archived')::boolean then coalesce(former.archived_at, statement_timestamp())
            when not (changes ->> 'archived')::boolean then null
            else former.archived_at
        end
    where r.id = former.id
    returning r.* into edited;

    perform organizations.record_change(
        the_organization.id, 'policy.changed', former.id, to_jsonb(former), to_jsonb(edited)
    );
    return to_jsonb(edited);
end;
$$;

comment on function organizations.save_policy(uuid, jsonb, uuid) is
'Create a booking policy, or change or archive one. Returns the policy.';

grant execute on function organizations.save_policy(uuid, jsonb, uuid) to authenticated, service_role;
