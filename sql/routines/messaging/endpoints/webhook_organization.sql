-- messaging.webhook_organization: return the organization that the caller acts for, as one of its admins. Internal.
--
-- Refuses: 403 forbidden, when the token names no organization or the caller is not its admin or owner.

create or replace function messaging.webhook_organization()
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization_id uuid := nullif(ops.claims() ->> 'org_id', '')::uuid;
begin
    if the_organization_id is null or not organizations.caller_is(the_organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'A token for an organization (`org_id`) is required, and you must be its admin or owner.'
            )::text;
    end if;
    return the_organization_id;
end;
$$;

comment on function messaging.webhook_organization() is
'Return the organization that the caller acts for, as one of its admins.';
