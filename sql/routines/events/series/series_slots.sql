-- events.series_slots: return the events of a series from a local date on, with their slots, for an edit of its rule.
--
-- `place` is the slot's place in the day if the rule has no time for it (events.lost_occurrences). With
-- `is_exception` no edit of the series changes the event: it was cancelled, edited individually, or has started. The
-- caller passes the new slots to events.edit_series in this transaction.
--
-- Locks the series. Refuses: 404 series_not_found, 403 forbidden, 409 series_archived.

create or replace function events.series_slots(series_id uuid, first_date date)
returns table (event_id uuid, local_start timestamp, place integer, is_exception boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_series events.series := events.lock_series_for_edit(series_slots.series_id);
begin
    return query
    select
        o.event_id, o.local_start, o.place,
        (not e.detached and e.status in ('draft', 'scheduled') and e.starts_at > statement_timestamp()) is not true
    from (
        select o.event_id, o.local_start, null::integer as place
        from events.occurrences as o
        where o.series_id = the_series.id and o.local_start >= series_slots.first_date
        union all
        select l.event_id, l.local_start, l.place
        from events.lost_occurrences as l
        where l.series_id = the_series.id and l.local_start >= series_slots.first_date
    ) as o
    left join events.terms as t on t.event_id = o.event_id
    left join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    order by o.local_start, o.place, o.event_id;
end;
$$;

comment on function events.series_slots(uuid, date) is
'Return the events of a series from a local date on, with their slots, for an edit of its rule.';

grant execute on function events.series_slots(uuid, date) to authenticated, service_role;
