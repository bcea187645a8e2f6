-- organizations.end_offers: withdraw the open ownership offer by or to a member whose membership changes or ends.
--
-- Internal: runs with the rights and under the locks of the routine that calls it.

create or replace function organizations.end_offers(organization_id uuid, user_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    the_offer organizations.ownership_offers;
begin
    select f.* into the_offer
    from organizations.ownership_offers as f
    where
        f.organization_id = end_offers.organization_id
        and end_offers.user_id in (f.offered_by, f.offered_to)
        and f.status = 'offered'
    for no key update;
    if found then
        perform organizations.end_offer(the_offer, 'withdrawn');
    end if;
end;
$$;

comment on function organizations.end_offers(uuid, uuid) is
'Withdraw the open ownership offer by or to a member whose membership changes or ends.';
