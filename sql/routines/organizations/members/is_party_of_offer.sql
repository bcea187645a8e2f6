-- organizations.is_party_of_offer: return whether the caller is a member and a party of an offer, or an owner.
--
-- False for an offer that does not exist. The service is no party. Never null. Internal.

create or replace function organizations.is_party_of_offer(offer organizations.ownership_offers)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        not ops.caller_is_service()
        and (is_party_of_offer.offer).organization_id in (select public.user_orgs())
        and (
            ops.caller_id() in ((is_party_of_offer.offer).offered_by, (is_party_of_offer.offer).offered_to)
            or organizations.caller_is((is_party_of_offer.offer).organization_id, 'owner')
        ),
        false
    );
$$;

comment on function organizations.is_party_of_offer(organizations.ownership_offers) is
'Return whether the caller is a member and a party of an offer, or an owner.';
