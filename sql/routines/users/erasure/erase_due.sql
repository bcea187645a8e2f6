-- users.erase_due: erase the next person whose requested erasure is due.
--
-- The last owner of an organization is left out, because the request refuses them too: the next run tries again. Each
-- call covers the next person after `after_at` and `after_id`, so that each erasure is a transaction of its own. A
-- request that is being cancelled is skipped until the next run. For the service.
--
-- Locks the request, and the memberships of owners and admins, then takes the locks of users.erase_profile. Returns
-- {"erased", "blocked", "last_at", "last_id"}; the last two are null at the end.
--
-- Refuses: 403 forbidden.

create or replace function users.erase_due(
    after_at timestamptz default '-infinity', after_id uuid default '00000000-0000-0000-0000-000000000000',
    at timestamptz default statement_timestamp()
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_request users.erasure_requests;
    is_last_owner boolean;
begin
    if not ops.caller_is_service() then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only the service may do this.')::text;
    end if;

    select r.* into the_request
    from users.erasure_requests as r
    where
        r.due_at <= erase_due.at
        and (r.due_at, r.user_id) > (
            coalesce(erase_due.after_at, '-infinity'),
            coalesce(erase_due.after_id, '00000000-0000-0000-0000-000000000000')
        )
    order by r.due_at, r.user_id
    limit 1;
    if not found then
        return jsonb_build_object('erased', 0, 'blocked', 0, 'last_at', null, 'last_id', null);
    end if;

    -- The person is locked before the request is read again, because a cancellation holds this lock until it commits.
    perform
    from organizations.memberships as m
    where
        m.role in ('owner', 'admin')
        and m.organization_id in (
            select o.organization_id
            from organizations.memberships as o
            where o.user_id = the_request.user_id and o.role in ('owner', 'admin')
        )
    order by m.organization_id, m.user_id
    for update;
    perform from users.profiles as p where p.id = the_request.user_id for no key update;
    perform events.lock_person(the_request.user_id);

    is_last_owner := exists (
        select
        from organizations.memberships as o
        where
            o.user_id = the_request.user_id
            and o.role = 'owner'
            and not exists (
                select
                from organizations.memberships as s
                inner join users.profiles as p on p.id = s.user_id
                where
                    s.organization_id = o.organization_id
                    and s.role = 'owner'
                    and s.user_id <> o.user_id
                    and p.erased_at is null
            )
    );
    if not is_last_owner and exists (
        select from users.erasure_requests as r where r.user_id = the_request.user_id and r.due_at <= erase_due.at
    ) then
        perform users.erase_profile(the_request.user_id);
        return jsonb_build_object(
            'erased', 1, 'blocked', 0, 'last_at', the_request.due_at, 'last_id', the_request.user_id
        );
    end if;
    return jsonb_build_object(
        'erased', 0, 'blocked', is_last_owner::integer, 'last_at', the_request.due_at, 'last_id', the_request.user_id
    );
end;
$$;

comment on function users.erase_due(timestamptz, uuid, timestamptz) is
'Erase the next person whose requested erasure is due.';

grant execute on function users.erase_due(timestamptz, uuid, timestamptz) to service_role;
