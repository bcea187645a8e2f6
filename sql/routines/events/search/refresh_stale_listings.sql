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
    claimed bigint[];
    event_ids uuid[];
    busy uuid[];
    done integer;
begin
    select array_agg(c.id), array_agg(distinct c.event_id)
    into claimed, event_ids
    from (
        select s.id, s.event_id
        from events.stale_listings as s
        order by s.id
        limit most
        for update skip locked
    ) as c;
    busy := array(
        select l.event_id
        from events.listings as l
        where l.event_id = any (event_ids)
        except
        select f.event_id
        from (
            select l.event_id
            from events.listings as l
            where l.event_id = any (event_ids)
            order by l.event_id
            for update skip locked
        ) as f
    );

    perform events.write_listings(array(select i.id from unnest(event_ids) as i (id) where i.id <> all (busy)));
    delete from events.stale_listings as s
    where s.id = any (claimed) and s.event_id <> all (busy);
    get diagnostics done = row_count;
    return done;
end;
$$;

comment on function events.refresh_stale_listings(integer) is
'Write up to `most` queued listings again; returns their number.';

grant execute on function events.refresh_stale_listings(integer) to service_role;
