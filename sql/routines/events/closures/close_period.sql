-- events.close_period: close an organization, a location or a room for a period, and cancel the events in it.
--
-- `details` has `from` and `until`, each a local date, of which `until` is included, or an instant; `reason`; and
-- optionally `location_id` or `room_id`. Dates are those of the location's time zone, or else of the organization's.
-- Events that start in the future and overlap the period end as in events.cancel_events, all in this transaction.
-- Events that have started stay.
--
-- `confirmed` is the consent to cancel bookings and waitlist entries, as in events.edit_series. Idempotent per caller
-- and key: a repeated request returns the first response. Locks the closures of the organization, then the events'
-- inventories in id order. Returns the closure with the numbers in `cancelled`.
--
-- Refuses: 404 organization_not_found, 403 forbidden, 409 closure_too_large, 409 too_many_closures, 409 would_cancel,
-- 422 idempotency_conflict, 422 invalid_request.

create or replace function events.close_period(
    organization_id uuid, details jsonb, confirmed jsonb default null, idempotency_key text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        close_period.organization_id, 'editor', 'admin', 'owner'
    );
    the_closure events.closures;
    concerned events.commitments;
    cancelled jsonb;
    the_first_answer text := ops.first_answer(
        'close_period', close_period.idempotency_key,
        details || jsonb_build_object('organization_id', close_period.organization_id)
    );
begin
    if the_first_answer is not null then
        return the_first_answer::jsonb;
    end if;

    perform events.lock_closures(array[the_organization.id], exclusive => true);
    -- The caller's role and the places may have changed while this waited.
    the_organization := events.require_organization(the_organization.id, 'editor', 'admin', 'owner');
    perform events.check_references(the_organization.id, details - array['from', 'until', 'reason']);
    the_closure := jsonb_populate_record(
        null::events.closures, events.complete_places(null, details - array['from', 'until'])
    );
    the_closure.id := ops.uuid_v7();
    the_closure.organization_id := the_organization.id;
    the_closure.created_at := statement_timestamp();
    the_closure.time_zone := coalesce(
        (select l.time_zone from organizations.locations as l where l.id = the_closure.location_id),
        the_organization.time_zone
    );
    the_closure.starts_at := case
        when length(details ->> 'from') = 10
        then ops.local_instant((details ->> 'from')::date, the_closure.time_zone)
        else (details ->> 'from')::timestamptz
    end;
    the_closure.ends_at := case
        when length(details ->> 'until') = 10
        then ops.local_instant((details ->> 'until')::date + 1, the_closure.time_zone)
        else (details ->> 'until')::timestamptz
    end;
    perform events.check_closure(the_closure);

    if
        (
            select count(*)
            from events.closures as c
            where
                c.organization_id = the_organization.id
                and c.ended_at is null
                and c.ends_at > statement_timestamp()
        ) >= ops.limit_value('closures_per_organization')
    then
        raise exception using errcode = 'PT409', message = 'too_many_closures',
            detail = jsonb_build_object('most', ops.limit_value('closures_per_organization'))::text;
    end if;

    insert into events.closures select the_closure.*;
    concerned := events.lock_commitments(
        array(
            select e.id
            from events.events as e
            where
                e.organization_id = the_organization.id
                and e.starts_at > statement_timestamp()
                and e.starts_at < the_closure.ends_at
                and e.starts_at > the_closure.starts_at - interval '768 hours'
                and e.ends_at > the_closure.starts_at
                and e.status in ('draft', 'scheduled')
                and case
                    when the_closure.room_id is not null then e.room_id = the_closure.room_id
                    when the_closure.location_id is not null then e.location_id = the_closure.location_id
                    else true
                end
        )
    );

    if
        cardinality(concerned.event_ids) + cardinality(concerned.booking_ids) + cardinality(concerned.entry_ids)
        > ops.limit_value('closure_size')
    then
        raise exception using errcode = 'PT409', message = 'closure_too_large',
            detail = jsonb_build_object(
                'events', cardinality(concerned.event_ids),
                'bookings', cardinality(concerned.booking_ids),
                'waitlist_entries', cardinality(concerned.entry_ids),
                'most', ops.limit_value('closure_size')
            )::text;
    end if;

    perform events.cancel_events(concerned.event_ids, the_closure.reason);
    cancelled := events.cancelled_commitments(concerned);
    perform events.require_confirmation(cancelled, close_period.confirmed);
    perform organizations.record_change(
        the_organization.id, 'closure.created', the_closure.id, null,
        to_jsonb(the_closure) - array['id', 'organization_id', 'reason', 'created_at', 'ended_at']
    );
    return ops.keep_answer(
        'close_period', close_period.idempotency_key,
        to_jsonb(the_closure) || jsonb_build_object('cancelled', cancelled)
    );
end;
$$;

comment on function events.close_period(uuid, jsonb, jsonb, text) is
'Close an organization, a location or a room for a period, and cancel the events in it, with confirmation.';

grant execute on function events.close_period(uuid, jsonb, jsonb, text) to authenticated, service_role;
