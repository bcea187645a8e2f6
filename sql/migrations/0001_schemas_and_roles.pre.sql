-- Schemas, roles and the few functions that table defaults and policies lean on.
-- Roles belong to the server, not to a database, so each is made only where it is missing.

create schema if not exists ref;
create schema if not exists users;
create schema if not exists organizations;
create schema if not exists events;
create schema if not exists messaging;
create schema if not exists ops;

comment on schema ref is 'Reference data: read by everybody, written by migrations.';
comment on schema users is 'People.';
comment on schema organizations is 'Tenants: who belongs to them, where they are, how they sell.';
comment on schema events is 'Series, events, seats, bookings, holds and waitlists.';
comment on schema messaging is 'What people are told.';
comment on schema ops is 'What keeps the system running: identity, limits, queues, metrics, jobs.';

do $$
declare
    missing text;
begin
    foreach missing in array array['app_read', 'app_write', 'anon', 'authenticated', 'service_role', 'marquee_api'] loop
        if not exists (select from pg_catalog.pg_roles as r where r.rolname = missing) then
            begin
                execute format(
                    'create role %I %s', missing,
                    case when missing = 'marquee_api' then 'login noinherit' else 'nologin' end
                );
            exception
                when duplicate_object or unique_violation then
                    null;  -- another database of this server made it just now
            end;
        end if;
    end loop;
end;
$$;

grant app_read to anon;
grant app_read to authenticated;
grant app_read to service_role;
grant app_write to service_role;
grant anon to marquee_api;
grant authenticated to marquee_api;
grant service_role to marquee_api;

-- Behind a transaction pooler nothing set in a session survives, so the limits belong to the role.
alter role marquee_api set statement_timeout = '15s';
alter role marquee_api set lock_timeout = '5s';
alter role marquee_api set idle_in_transaction_session_timeout = '15s';
alter role marquee_api set timezone = 'UTC';

revoke create on schema public from public;
alter default privileges revoke execute on functions from public;

grant usage on schema public, ref, users, organizations, events, messaging, ops to app_read, app_write;
grant usage on schema ops to marquee_api;

-- These four are bound to what they call when they are made (no search path is involved) and simple enough for the
-- planner to write into the statements that call them: they are called for every row and every policy.

create function ops.uuid_v7()
returns uuid
language sql
volatile
parallel safe
-- 48 bits of milliseconds, then a random version 4 with its version bits changed from 0100 to 0111 (RFC 9562, 5.7).
return encode(
    set_bit(
        set_bit(
            substr(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint), 3)
            || substr(uuid_send(gen_random_uuid()), 7),
            52, 1
        ),
        53, 1
    ),
    'hex'
)::uuid;

comment on function ops.uuid_v7() is 'A version 7 UUID: sorts by the time it was made.';

create function ops.claims()
returns jsonb
language sql
stable
parallel safe
return nullif(current_setting('request.jwt.claims', true), '')::jsonb;

comment on function ops.claims() is 'The verified claims of the caller of this transaction; null where none were set.';

create function ops.caller_id()
returns uuid
language sql
stable
parallel safe
return (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;

comment on function ops.caller_id() is 'Who calls: the id of a profile, or null for anonymous callers and services.';

create function ops.caller_is_service()
returns boolean
language sql
stable
parallel safe
return coalesce(
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' = 'service_role', false
);

comment on function ops.caller_is_service() is 'Whether a schedule, a queue or another service calls.';
