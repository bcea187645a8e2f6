-- organizations.answer_ownership_offer: accept, decline or withdraw an ownership offer.
--
-- The member to whom it was offered accepts or declines it, and owners withdraw it: `answer` is accepted, declined or
-- withdrawn. Accepting makes the member an owner, and then gives the offering owner the role of the offer, so that
-- there is always an owner. A repeated call returns the same offer. The service decides for nobody.
--
-- Locks the memberships of owners, admins and the member, then the offer.
--
-- Refuses: 403 forbidden; 404 ownership_offer_not_found, also to others than its two people and the owners; 409
-- ownership_offer_closed; 422 invalid_request.

create or replace function organizations.answer_ownership_offer(offer_id uuid, answer text)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_offer organizations.ownership_offers;
begin
    perform users.refuse_erased();
    if (answer_ownership_offer.answer in ('accepted', 'declined', 'withdrawn')) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request';
    end if;

    select f.* into the_offer
    from organizations.ownership_offers as f
    where f.id = answer_ownership_offer.offer_id;
    if organizations.is_party_of_offer(the_offer) then
        perform organizations.lock_members(the_offer.organization_id, the_offer.offered_by, the_offer.offered_to);
        select f.* into the_offer
        from organizations.ownership_offers as f
        where f.id = answer_ownership_offer.offer_id
        for no key update;
    end if;
    if not organizations.is_party_of_offer(the_offer) then
        raise exception using errcode = 'PT404', message = 'ownership_offer_not_found';
    end if;

    if
        (
            (
                answer_ownership_offer.answer = 'withdrawn'
                and organizations.caller_is(the_offer.organization_id, 'owner')
            )
            or (answer_ownership_offer.answer <> 'withdrawn' and the_offer.offered_to = ops.caller_id())
        ) is not true
    then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Owners withdraw an offer. The member to whom it was made accepts or declines it.'
            )::text;
    end if;

    if the_offer.status = answer_ownership_offer.answer then
        return to_jsonb(the_offer);
    end if;
    if organizations.ownership_offer_status(the_offer) <> 'offered' then
        raise exception using errcode = 'PT409', message = 'ownership_offer_closed',
            detail = jsonb_build_object('status', organizations.ownership_offer_status(the_offer))::text;
    end if;

    if answer_ownership_offer.answer = 'accepted' then
        -- Only a change past the routines can have ended the ownership without ending the offer.
        if not exists (
            select
            from organizations.memberships as m
            where
                m.organization_id = the_offer.organization_id
                and m.user_id = the_offer.offered_by
                and m.role = 'owner'
        ) then
            raise exception using errcode = 'PT409', message = 'ownership_offer_closed',
                detail = jsonb_build_object('status', 'withdrawn')::text;
        end if;

        update organizations.memberships as m
        set role = 'owner'
        where m.organization_id = the_offer.organization_id and m.user_id = the_offer.offered_to;

        update organizations.memberships as m
        set role = the_offer.stays_as
        where
            m.organization_id = the_offer.organization_id
            and m.user_id = the_offer.offered_by
            and m.role <> the_offer.stays_as;
    end if;
    return to_jsonb(organizations.end_offer(the_offer, answer_ownership_offer.answer));
end;
$$;

comment on function organizations.answer_ownership_offer(uuid, text) is
'Accept, decline or withdraw an ownership offer.';

grant execute on function organizations.answer_ownership_offer(uuid, text) to authenticated, service_role;
