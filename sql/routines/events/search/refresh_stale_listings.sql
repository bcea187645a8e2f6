-- events.refresh_stale_listings: write up to `most` queued listings again; returns their number.
--
-- Claims and finishes a batch in one transaction, so nothing is lost if it stops. Skips queued events and listings that
-- another transaction has locked, and leaves them for the next call, so it waits for nobody. Idempotent.

create or replace function events.refresh_stale_listings(most integer)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    claimed uuid[];
    busy uuid[];
begin
    claimed := array(
        select s.event_id
        from events.stale_listings as s
        order by s.stale_at, s.event_id
        limit most
        for update skip locked
    );
    busy := array(
        select l.event_id
        from events.listings as l
        where l.event_id = any (claimed)
        except
        select f.event_id
        from (
            select l.event_id
            from events.listings as l
            where l.event_id = any (claimed)
            order by l.event_id
            for update skip locked
        ) as f
    );
    claimed := array(select c.id from unnest(claimed) as c (id) where c.id <> all (busy));

    perform events.write_listings(claimed);
    delete from events.stale_listings as s
    where s.event_id = any (claimed);
    return cardinality(claimed);
end;
$$;

comment on function events.refresh_stale_listings(integer) is
'Write up to `most` queued listings again; returns their number.';

grant execute on function events.refresh_stale_listings(integer) to service_role;
