-- organizations.end_offer: give a locked open ownership offer its final status, and record it.
--
-- Internal: runs with the rights and under the locks of the routine that calls it.

create or replace function organizations.end_offer(offer organizations.ownership_offers, status text)
returns organizations.ownership_offers
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    ended organizations.ownership_offers;
begin
    update organizations.ownership_offers as f
    set status = end_offer.status, ended_at = statement_timestamp()
    where f.id = (end_offer.offer).id
    returning f.* into ended;

    perform organizations.record_change(
        ended.organization_id, 'ownership_offer.' || ended.status, ended.id,
        jsonb_build_object('status', (end_offer.offer).status), jsonb_build_object('status', ended.status)
    );
    return ended;
end;
$$;

comment on function organizations.end_offer(organizations.ownership_offers, text) is
'Give a locked open ownership offer its final status, and record it.';
