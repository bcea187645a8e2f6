-- rating.read_events: return the events of requests as rows, each with its own fault, if any.
--
-- An event that the database cannot store as JSON (a NUL, half a surrogate, a number out of range) has a fault in
-- `code`, like an event without a type. The other events are still read. A null member counts as missing. The item of a
-- slider or a fire is item_a. The caller ensures that `events` are arrays. Reads no table. Internal.
--
-- Ids and keys obey ops.is_line, because people read them. Tables lack this constraint: rows older than the rule must
-- still be counted, moved to another partition and erased. Only this routine and rating.write_vote admit events.

create or replace function rating.read_events(requests rating.ingestion[])
returns table (
    number integer,
    place integer,
    type text,
    key text,
    voter_id text,
    item_a text,
    item_b text,
    winner text,
    kind text,
    value double precision,
    occurred_at timestamptz,
    code text,
    detail text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_generic_plan'
rows 500
as $$
begin
    return query
    with given as materialized (
        select
            r.number,
            (e.place - 1)::integer as place,
            r.caller_id::text as caller_id,
            case
                when pg_input_is_valid(e.event::text, 'jsonb') and json_typeof(e.event) = 'object'
                    then jsonb_strip_nulls(e.event::jsonb)
            end as event
        from unnest(read_events.requests) as r
        cross join lateral json_array_elements(r.events) with ordinality as e (event, place)
    ),

    read as materialized (
        select
            g.number,
            g.place,
            g.event,
            rating.json_text(g.event -> 'type') as type,
            rating.json_text(g.event -> 'key') as key,
            case
                when g.event ? 'voter_id' then rating.json_text(g.event -> 'voter_id')
                else g.caller_id
            end as voter_id,
            rating.json_text(coalesce(g.event -> 'item_a', g.event -> 'item_id')) as item_a,
            rating.json_text(g.event -> 'item_b') as item_b,
            rating.json_text(g.event -> 'winner') as winner,
            case when g.event ? 'kind' then rating.json_text(g.event -> 'kind') else 'normal' end as kind,
            case
                when
                    jsonb_typeof(g.event -> 'value') = 'number'
                    and pg_input_is_valid(g.event ->> 'value', 'double precision')
                    then (g.event ->> 'value')::double precision
            end as value,
            case when g.event ? 'occurred_at' then rating.json_time(g.event -> 'occurred_at') end as occurred_at
        from given as g
    )

    select
        r.number,
        r.place,
        r.type,
        case when length(r.key) <= 128 and ops.is_line(r.key) then r.key end,
        r.voter_id,
        r.item_a,
        r.item_b,
        r.winner,
        r.kind,
        r.value,
        r.occurred_at,
        p.problem[1],
        p.problem[2]
    from read as r
    cross join lateral (
        select case
            when r.event is null then array['invalid_event', 'An event must be an object of strings and numbers.']
            when (r.type in ('vote', 'slider', 'fire')) is not true
                then array['unknown_type', 'type is one of vote, slider, fire.']
            when r.event - case r.type
                when 'vote'
                    then '{type,key,voter_id,item_a,item_b,winner,kind,occurred_at}'::text[]
                when 'slider'
                    then '{type,key,voter_id,item_id,value,occurred_at}'::text[]
                else '{type,key,voter_id,item_id,occurred_at}'::text[]
            end <> '{}'
                then array['invalid_event', 'The event has a member that a ' || r.type || ' does not have.']
            when (length(r.key) between 1 and 128 and ops.is_line(r.key)) is not true
                then array['invalid_event', 'key is one line of 1 to 128 readable characters.']
            when (length(r.voter_id) between 1 and 128 and ops.is_line(r.voter_id)) is not true
                then array['invalid_event', 'voter_id is one line of 1 to 128 readable characters.']
            when (length(r.item_a) between 1 and 128 and ops.is_line(r.item_a)) is not true
                then array[
                    'invalid_event',
                    case r.type when 'vote' then 'item_a' else 'item_id' end
                    || ' is one line of 1 to 128 readable characters.'
                ]
            when r.event ? 'occurred_at' and r.occurred_at is null
                then array['invalid_event', 'occurred_at is a time with its offset, at most a day ahead.']
            when r.type = 'slider' and (r.value between 0 and 100) is not true
                then array['invalid_event', 'value is a number from 0 to 100.']
            when r.type <> 'vote' then null
            when (length(r.item_b) between 1 and 128 and ops.is_line(r.item_b)) is not true
                then array['invalid_event', 'item_b is one line of 1 to 128 readable characters.']
            when r.item_a = r.item_b
                then array['items_are_the_same', 'A vote is between two different items.']
            when (r.winner in (r.item_a, r.item_b)) is not true
                then array['winner_not_in_pair', 'The winner is one of the two items.']
            when (r.kind in ('normal', 'super')) is not true
                then array['invalid_event', 'kind is normal or super.']
        end as problem
    ) as p;
end;
$$;

comment on function rating.read_events(rating.ingestion[]) is
'Return the events of requests as rows, each with its own fault, if any.';
