-- rating.event_answer: return the result of one rating event, as the API lists it.
--
-- The status is accepted, duplicate or refused. rating.write_events and rating.write_vote call it. It has no SET
-- clause, so that PostgreSQL can inline it.

create or replace function rating.event_answer(
    index integer,
    key text,
    status text,
    event_id bigint default null,
    code text default null,
    detail text default null
)
returns jsonb
language sql
stable
return case event_answer.status
    when 'accepted'
        then jsonb_build_object(
            'index', event_answer.index, 'key', event_answer.key, 'status', event_answer.status,
            'event_id', event_answer.event_id
        )
    when 'duplicate'
        then jsonb_build_object(
            'index', event_answer.index, 'key', event_answer.key, 'status', event_answer.status
        )
    else jsonb_build_object(
        'index', event_answer.index, 'key', event_answer.key, 'status', event_answer.status,
        'code', event_answer.code, 'detail', event_answer.detail
    )
end;

comment on function rating.event_answer(integer, text, text, bigint, text, text) is
'Return the result of one rating event: accepted, duplicate or refused.';
