-- organizations.ownership_offer_payload: return the message about an offered ownership, for the member who decides.

create or replace function organizations.ownership_offer_payload(offer organizations.ownership_offers)
returns jsonb
language sql
stable
return jsonb_build_object(
    'id', (ownership_offer_payload.offer).id,
    'organization_id', (ownership_offer_payload.offer).organization_id,
    'user_id', (ownership_offer_payload.offer).offered_to,
    'offered_by', (ownership_offer_payload.offer).offered_by,
    'stays_as', (ownership_offer_payload.offer).stays_as,
    'expires_at', (ownership_offer_payload.offer).expires_at
);

comment on function organizations.ownership_offer_payload(organizations.ownership_offers) is
'Return the message about an offered ownership, for the member who decides.';
