-- payments.event_categories: return the slugs of an event's category and of its parent category.
--
-- The array is empty for an event without a category.

create or replace function payments.event_categories(event_id uuid)
returns text[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_remove(array[max(c.slug), max(c.parent_slug)], null), '{}')
    from events.terms as t
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    inner join ref.event_categories as c on c.slug = e.category
    where t.event_id = event_categories.event_id;
$$;

comment on function payments.event_categories(uuid) is
'Return the slugs of an event''s category and of its parent category.';
