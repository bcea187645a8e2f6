-- messaging.webhook_data: return the object that a webhook carries: the stored payload with the texts of its object.
--
-- A payload stores ids, amounts, times and states as they were. Titles, reasons, names and lines are read here, at each
-- attempt, so that no queue keeps a text that erasure or a period has ended. The stored members win.
--
-- A booking's reason is that of its current status. A message about an earlier status has none.
--
-- An invoice of an erased person has an empty buyer: the law keeps it here, not at subscribers.
--
-- A payload without an id was written by earlier code: it only gets its reason. One payload that cannot be read never
-- stops the deliveries that are claimed with it.

create or replace function messaging.webhook_data(topic text, payload jsonb)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_id uuid := case
        when pg_input_is_valid(webhook_data.payload ->> 'id', 'uuid') then webhook_data.payload ->> 'id'
    end;
    the_object jsonb := '{}';
begin
    if webhook_data.topic like 'booking.%' and the_id is not null then
        the_object := events.read_booking_details(the_id);
        if the_object ->> 'status' is distinct from webhook_data.payload ->> 'status' then
            the_object := the_object || '{"reason": null}';
        end if;
    elsif webhook_data.topic like 'event.%' and the_id is not null then
        the_object := events.event_answer(the_id);
    elsif webhook_data.topic = 'invoice.issued' and the_id is not null then
        the_object := payments.invoice_answer(the_id);
        if users.is_erased((webhook_data.payload ->> 'customer_id')::uuid) then
            the_object := the_object || '{"buyer": {}}';
        end if;
    elsif webhook_data.topic like 'refund.%' or webhook_data.topic = 'payment.returned' then
        select payments.refund_answer(r) into the_object
        from payments.refunds as r
        where r.id = the_id;
    elsif webhook_data.topic in ('booking.cancelled', 'event.cancelled', 'waitlist.expired') then
        the_object := jsonb_build_object(
            'reason', messaging.notification_reason(webhook_data.topic, webhook_data.payload)
        );
    end if;
    return coalesce(the_object, '{}') || webhook_data.payload;
end;
$$;

comment on function messaging.webhook_data(text, jsonb) is
'Return the object that a webhook carries: the stored payload with the texts of its object.';
