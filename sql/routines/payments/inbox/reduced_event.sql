-- payments.reduced_event: an event of Stripe without anything about people: what handling it needs, and no more.
--
-- Handling asks Stripe for the thing again, so the thing's id and its payment are enough. Client secrets, billing
-- details, addresses and metadata do not pass. Expanded objects become their ids. A NUL, which PostgreSQL cannot read,
-- is gone before: marquee.payments.inbox reduces the event in the same way.

create or replace function payments.reduced_event(payload json)
returns json
language sql
immutable
parallel safe
return json_build_object(
    'id', reduced_event.payload -> 'id',
    'object', reduced_event.payload -> 'object',
    'type', reduced_event.payload -> 'type',
    'created', reduced_event.payload -> 'created',
    'data', json_build_object(
        'object', json_strip_nulls(
            json_build_object(
                'id', reduced_event.payload #> '{data,object,id}',
                'object', reduced_event.payload #> '{data,object,object}',
                'status', reduced_event.payload #> '{data,object,status}',
                'amount', reduced_event.payload #> '{data,object,amount}',
                'currency', reduced_event.payload #> '{data,object,currency}',
                'payment_intent', coalesce(
                    reduced_event.payload #> '{data,object,payment_intent,id}',
                    reduced_event.payload #> '{data,object,payment_intent}'
                )
            )
        )
    )
);

comment on function payments.reduced_event(json) is 'An event of Stripe without anything about people.';
