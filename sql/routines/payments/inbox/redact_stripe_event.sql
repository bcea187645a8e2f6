-- payments.redact_stripe_event: reduce a Stripe event to the members that processing needs, without personal data.
--
-- Processing fetches the object from Stripe again, so the ids of the object and its payment are enough. Client secrets,
-- billing details, addresses and metadata are left out. Expanded objects become their ids. marquee.payments.inbox
-- reduces the event in the same way, before this, because PostgreSQL cannot read JSON with a NUL character.

create or replace function payments.redact_stripe_event(payload json)
returns json
language sql
immutable
parallel safe
return json_build_object(
    'id', redact_stripe_event.payload -> 'id',
    'object', redact_stripe_event.payload -> 'object',
    'type', redact_stripe_event.payload -> 'type',
    'created', redact_stripe_event.payload -> 'created',
    'data', json_build_object(
        'object', json_strip_nulls(
            json_build_object(
                'id', redact_stripe_event.payload #> '{data,object,id}',
                'object', redact_stripe_event.payload #> '{data,object,object}',
                'status', redact_stripe_event.payload #> '{data,object,status}',
                'amount', redact_stripe_event.payload #> '{data,object,amount}',
                'currency', redact_stripe_event.payload #> '{data,object,currency}',
                'payment_intent', coalesce(
                    redact_stripe_event.payload #> '{data,object,payment_intent,id}',
                    redact_stripe_event.payload #> '{data,object,payment_intent}'
                )
            )
        )
    )
);

comment on function payments.redact_stripe_event(json) is
'Reduce a Stripe event to the members that processing needs, without personal data.';
