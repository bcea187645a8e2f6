-- users.request_erasure: schedule the erasure of the caller in seven days, and return what it will do.
--
-- The figures are those of an erasure now, which a savepoint takes back: so a preview cannot differ from the erasure.
-- The first request sends `erasure.scheduled`. A repeated one changes nothing. Until the erasure, the caller can cancel
-- it (users.cancel_erasure). Creates a missing profile from the claims.
--
-- Takes the locks of users.erase_profile while it computes the figures, then locks the person.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 409 last_owner.

create or replace function users.request_erasure()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_request users.erasure_requests;
    the_figures jsonb;
begin
    perform users.own_profile();
    begin
        the_figures := users.erase_profile(ops.caller_id());
        raise exception using errcode = 'MQ001', message = 'taken_back';
    exception
        when sqlstate 'MQ001' then null;
    end;

    perform events.lock_person(ops.caller_id());
    perform users.refuse_erased();

    insert into users.erasure_requests (user_id, due_at)
    values (ops.caller_id(), statement_timestamp() + interval '168 hours')
    on conflict on constraint erasure_requests_pkey do nothing
    returning * into the_request;
    if found then
        insert into public.outbox (topic, key, payload)
        values ('erasure.scheduled', ops.caller_id()::text, users.scheduled_erasure_payload(the_request));
    else
        select r.* into the_request
        from users.erasure_requests as r
        where r.user_id = ops.caller_id();
    end if;

    return jsonb_build_object(
        'requested_at', the_request.requested_at,
        'due_at', the_request.due_at,
        'bookings', the_figures -> 'bookings_cancelled',
        'memberships', coalesce(the_figures -> 'memberships_ended', to_jsonb(0)),
        'credits', (
            select coalesce(jsonb_agg(c.credit || jsonb_build_object('organization_name', o.name) order by c.place), '[]')
            from jsonb_array_elements(the_figures -> 'credits') with ordinality as c (credit, place)
            inner join organizations.organizations as o on o.id = (c.credit ->> 'organization_id')::uuid
        )
    );
end;
$$;

comment on function users.request_erasure() is
'Schedule the erasure of the caller in seven days, and return what it will do.';

grant execute on function users.request_erasure() to authenticated, service_role;
