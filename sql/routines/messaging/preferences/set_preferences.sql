-- messaging.set_preferences: change how the caller receives messages.
--
-- `changes` is a list of {family, channel, delivery}, which names each family and channel once at most. Omitted ones
-- stay the same. Creates a missing profile from the claims. Locks the person, so that an erasure leaves no row.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 422 invalid_request.

create or replace function messaging.set_preferences(changes jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform users.own_profile();
    perform events.lock_person(ops.caller_id());
    perform users.refuse_erased();

    if
        jsonb_typeof(set_preferences.changes) is distinct from 'array'
        or exists (
            select
            from jsonb_array_elements(set_preferences.changes) as c
            where
                (
                    messaging.is_family(c ->> 'family')
                    and c ->> 'channel' in ('app', 'email')
                    and c ->> 'delivery' in ('immediately', 'off')
                ) is not true
        )
    then
        raise exception using errcode = 'PT422', message = 'invalid_request';
    end if;

    insert into messaging.preferences as p (user_id, family, channel, delivery, updated_at)
    select distinct on (c.family, c.channel) ops.caller_id(), c.family, c.channel, c.delivery, statement_timestamp()
    from jsonb_to_recordset(set_preferences.changes) as c (family text, channel text, delivery text)
    order by c.family, c.channel
    on conflict on constraint preferences_pkey do update
    set delivery = excluded.delivery, updated_at = excluded.updated_at;
end;
$$;

comment on function messaging.set_preferences(jsonb) is 'Change how the caller receives messages.';

grant execute on function messaging.set_preferences(jsonb) to authenticated, service_role;
