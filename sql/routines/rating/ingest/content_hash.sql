-- rating.content_hash: a hash of what an event says; of two events with one key it tells whether they are the same.
--
-- When it occurred is not part of it: a client that sends again may read its clock again. Written into the statements
-- that call it.

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
'A hash of what an event says, to know it again.';
