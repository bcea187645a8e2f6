-- organizations.keep_owner: refuse a change that leaves an organization without an owner.
--
-- A row trigger, after an owner's membership was deleted or got another role. Takes an advisory lock for the
-- organization and reads the other owners after it: of two owners who leave at once, the second one stays (write skew).
-- An erased owner does not count. The service may erase the last owner (users.erase_profile). Deleting the organization
-- deletes its memberships.
--
-- Refuses: 409 last_owner.

create or replace function organizations.keep_owner()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- The seed differs from those of other advisory locks, so that an organization's other locks are not shared.
    perform pg_advisory_xact_lock(uuid_hash_extended(old.organization_id, 3));

    if
        not exists (
            select
            from organizations.memberships as m
            inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
            where m.organization_id = old.organization_id and m.role = 'owner'
        )
        and exists (select from organizations.organizations as o where o.id = old.organization_id)
        and (ops.caller_is_service() and users.is_erased(old.user_id)) is not true
    then
        raise exception using errcode = 'PT409', message = 'last_owner',
            detail = jsonb_build_object('organization_ids', array[old.organization_id])::text;
    end if;
    return null;
end;
$$;

comment on function organizations.keep_owner() is 'Refuse a change that leaves an organization without an owner.';

create or replace trigger keep_owner_on_delete after delete on organizations.memberships
for each row when (old.role = 'owner')
execute function organizations.keep_owner();

create or replace trigger keep_owner_on_update after update on organizations.memberships
for each row when (
    old.role = 'owner' and (new.role, new.organization_id, new.user_id) is distinct from
    ('owner'::organizations.member_role, old.organization_id, old.user_id)
)
execute function organizations.keep_owner();
