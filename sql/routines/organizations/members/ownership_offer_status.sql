-- organizations.ownership_offer_status: return an offer's status; an open one is expired after its time.

create or replace function organizations.ownership_offer_status(offer organizations.ownership_offers)
returns text
language sql
stable
return case
    when
        (ownership_offer_status.offer).status = 'offered'
        and (ownership_offer_status.offer).expires_at <= statement_timestamp()
    then 'expired'
    else (ownership_offer_status.offer).status
end;

comment on function organizations.ownership_offer_status(organizations.ownership_offers) is
'Return an offer''s status; an open one is expired after its time.';

grant execute on function organizations.ownership_offer_status(organizations.ownership_offers)
to authenticated, service_role;
