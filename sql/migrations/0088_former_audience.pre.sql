-- Let messaging.audience, which earlier code calls while a deployment runs, return what messaging.recipients returns.
--
-- Only messaging.recipients reads the payloads that the routines write from now on. The body is resolved at the first
-- call, because routines are created after this migration. 0096 drops the function.

do $do$
begin
    if to_regprocedure('messaging.audience(text, jsonb, timestamptz)') is not null then
        execute $sql$
            create or replace function messaging.audience(
                topic text, payload jsonb, at timestamptz default statement_timestamp()
            )
            returns table (
                user_id uuid, email text, name text, language text, organization_id uuid, facts jsonb
            )
            language plpgsql
            stable
            security definer
            set search_path = pg_catalog, pg_temp
            as $$
            begin
                return query
                select r.* from messaging.recipients(audience.topic, audience.payload, audience.at) as r;
            end;
            $$
        $sql$;
    end if;
end;
$do$;
