-- messaging.webhook_data: return the object that a webhook carries: the stored payload with the texts of its object.
--
-- A payload stores ids, amounts, times and states as they were. Titles, reasons, names and lines are read here, at each
-- attempt, so that no queue keeps a text that erasure or a period has ended. The stored members win.
--
-- A payload without an id was written by earlier code: it only gets its reason.

create or replace function messaging.webhook_data(topic text, payload jsonb)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(
            case
                when not webhook_data.payload ? 'id' then null
                when webhook_data.topic like 'booking.%'
                    then events.booking_details_of((webhook_data.payload ->> 'id')::uuid)
                when webhook_data.topic like 'event.%'
                    then events.event_answer((webhook_data.payload ->> 'id')::uuid)
                when webhook_data.topic = 'invoice.issued'
                    then payments.invoice_answer((webhook_data.payload ->> 'id')::uuid)
                when webhook_data.topic like 'refund.%' or webhook_data.topic = 'payment.returned'
                    then (
                        select payments.refund_answer(r)
                        from payments.refunds as r
                        where r.id = (webhook_data.payload ->> 'id')::uuid
                    )
            end,
            '{}'
        )
        || webhook_data.payload
        || case
            when
                webhook_data.topic = 'waitlist.expired'
                or (
                    webhook_data.topic in ('booking.cancelled', 'event.cancelled')
                    and not webhook_data.payload ? 'id'
                )
                then jsonb_build_object(
                    'reason', messaging.reason_of(webhook_data.topic, webhook_data.payload)
                )
            else '{}'
        end;
$$;

comment on function messaging.webhook_data(text, jsonb) is
'Return the object that a webhook carries: the stored payload with the texts of its object.';
