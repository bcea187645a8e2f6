-- events.offers_have_ended: return whether an event's waitlist has ended (events.offers_end_at).
--
-- Then the seats that are set aside for it are on sale.

create or replace function events.offers_have_ended(event_id uuid)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select statement_timestamp() >= events.offers_end_at(t)
    from events.terms as t
    where t.event_id = offers_have_ended.event_id;
$$;

comment on function events.offers_have_ended(uuid) is
'Return whether an event''s waitlist has ended, so that seats set aside for it are on sale.';
