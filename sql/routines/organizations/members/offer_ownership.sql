-- organizations.offer_ownership: offer a member the ownership of the organization, for seven days.
--
-- For owners, not for the service, because an owner must consent. Afterwards the offering owner has the role
-- `stays_as`: owner, for shared ownership, or admin. An organization has one open offer; an expired one ends. Adds the
-- message `ownership.offered`. Locks the memberships of owners, admins and the member.
--
-- Refuses: 403 forbidden; 404 organization_not_found; 404 member_not_found; 409 already_owner; 409 ownership_offered;
-- 422 invalid_request.

create or replace function organizations.offer_ownership(
    organization_id uuid, user_id uuid, stays_as organizations.member_role default 'admin'
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_role organizations.member_role;
    former organizations.ownership_offers;
    the_offer organizations.ownership_offers;
begin
    if ops.caller_is_service() then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only an owner can offer the ownership. Use their token.')::text;
    end if;
    perform events.require_organization(offer_ownership.organization_id, 'owner');
    perform organizations.lock_members(offer_ownership.organization_id, offer_ownership.user_id);
    perform events.require_organization(offer_ownership.organization_id, 'owner');

    if (offer_ownership.stays_as in ('owner', 'admin')) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', '`stays_as` is owner or admin.')::text;
    end if;

    select m.role into the_role
    from organizations.memberships as m
    inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
    where m.organization_id = offer_ownership.organization_id and m.user_id = offer_ownership.user_id;
    if not found then
        raise exception using errcode = 'PT404', message = 'member_not_found';
    end if;
    if the_role = 'owner' then
        raise exception using errcode = 'PT409', message = 'already_owner';
    end if;

    select f.* into former
    from organizations.ownership_offers as f
    where f.organization_id = offer_ownership.organization_id and f.status = 'offered'
    for no key update;
    if found then
        if organizations.ownership_offer_status(former) = 'offered' then
            raise exception using errcode = 'PT409', message = 'ownership_offered',
                detail = jsonb_build_object('offer_id', former.id)::text;
        end if;
        perform organizations.end_offer(former, 'expired');
    end if;

    insert into organizations.ownership_offers as f (organization_id, offered_by, offered_to, stays_as, expires_at)
    values (
        offer_ownership.organization_id, ops.caller_id(), offer_ownership.user_id, offer_ownership.stays_as,
        statement_timestamp() + interval '168 hours'
    )
    returning f.* into the_offer;

    insert into public.outbox (topic, key, payload)
    values ('ownership.offered', the_offer.organization_id::text, organizations.ownership_offer_payload(the_offer));
    perform organizations.record_change(
        the_offer.organization_id, 'ownership_offer.created', the_offer.id, null,
        jsonb_build_object(
            'offered_by', the_offer.offered_by, 'offered_to', the_offer.offered_to,
            'stays_as', the_offer.stays_as, 'status', the_offer.status
        )
    );
    return to_jsonb(the_offer);
end;
$$;

comment on function organizations.offer_ownership(uuid, uuid, organizations.member_role) is
'Offer a member the ownership of the organization, for seven days.';

grant execute on function organizations.offer_ownership(uuid, uuid, organizations.member_role)
to authenticated, service_role;
