-- rating.content_hash: return a hash of an event's content, which shows whether two events with one key are the same.
--
-- Excludes occurred_at: a client that resends an event may read its clock again. The planner inlines it into the
-- calling statement.

create or replace function rating.content_hash(
    type text,
    voter_id text,
    item_a text,
    item_b text,
    winner text,
    kind text,
    value double precision
)
returns bigint
language sql
stable
parallel safe
return hashtextextended(
    jsonb_build_array(
        content_hash.type, content_hash.voter_id, content_hash.item_a, content_hash.item_b,
        content_hash.winner, content_hash.kind,
        content_hash.value
    )::text,
    0
);

comment on function rating.content_hash(text, text, text, text, text, text, double precision) is
'Return a hash of an event''s content, to recognize a repeated event.';
