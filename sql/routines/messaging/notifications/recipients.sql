-- messaging.recipients: return the people to notify of a message, their languages, and the facts for its text.
--
-- A message is for:
--
-- - the customer whom it names;
-- - the instructor who leads a cancelled event, while they are a member of the organization; its customers get messages
--   of their own;
-- - admins and owners, for a disabled endpoint;
-- - accountants, admins and owners, for a failed or excess refund, a disputed payment or a failed payout;
-- - operators (ops.alert_recipients), for alerts, differences from Stripe's records and failed payouts of the platform.
--
-- Erased people receive nothing. A reminder is sent only for a confirmed booking of an event that has not started. The
-- event's start is read from its terms, so that only one partition is searched. For the service.

create or replace function messaging.recipients(
    topic text, payload jsonb, at timestamptz default statement_timestamp()
)
returns table (
    user_id uuid,
    email text,
    name text,
    language text,
    organization_id uuid,
    facts jsonb
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with matter as (
        select
            o.id as organization_id,
            coalesce((recipients.payload ->> 'customer_id')::uuid, i.user_id) as person_id,
            case
                when recipients.topic like 'webhook_endpoint.%' then '{admin,owner}'
                when recipients.topic in ('refund.exceeded', 'refund.failed', 'payment.disputed', 'payout.failed')
                    then '{accountant,admin,owner}'
            end::organizations.member_role[] as staff,
            jsonb_build_object(
                'organization', o.name, 'title', coalesce(e.title, k.name, recipients.payload ->> 'url'),
                'starts_at', e.starts_at, 'ends_at', e.ends_at, 'time_zone', coalesce(e.time_zone, o.time_zone),
                'place', nullif(concat_ws(', ', l.name, l.address, l.city), ''),
                'customer', c.name, 'price_cents', b.price_cents, 'currency', b.currency,
                'payment_method', b.payment_method,
                'reason', messaging.notification_reason(recipients.topic, recipients.payload)
            ) as facts
        from (select) as nobody
        left join events.bookings as b on b.id = (recipients.payload ->> 'booking_id')::uuid
        left join events.events as e
            on
                e.id = coalesce((recipients.payload ->> 'event_id')::uuid, b.event_id)
                and e.starts_at = (
                    select t.starts_at
                    from events.terms as t
                    where
                        t.event_id = coalesce((recipients.payload ->> 'event_id')::uuid, (
                            select f.event_id
                            from events.bookings as f
                            where f.id = (recipients.payload ->> 'booking_id')::uuid
                        ))
                )
        left join organizations.organizations as o
            on o.id = coalesce((recipients.payload ->> 'organization_id')::uuid, e.organization_id)
        left join organizations.locations as l on l.id = e.location_id
        left join organizations.instructors as i
            on
                i.id = e.instructor_id
                and exists (
                    select
                    from organizations.memberships as f
                    where f.user_id = i.user_id and f.organization_id = i.organization_id
                )
        left join payments.purchases as u on u.id = (recipients.payload ->> 'purchase_id')::uuid
        left join payments.packages as k on k.id = u.package_id
        left join users.profiles as c on c.id = coalesce(b.customer_id, u.customer_id)
        where recipients.topic <> 'booking.reminder' or (b.status = 'confirmed' and e.starts_at > recipients.at)
    )

    select p.id, users.verified_address(p), p.name, p.language::text, m.organization_id, m.facts
    from matter as m
    inner join users.profiles as p on p.id = m.person_id
    where m.staff is null and p.erased_at is null

    union all

    select p.id, users.verified_address(p), p.name, p.language::text, m.organization_id, m.facts
    from matter as m
    inner join organizations.memberships as s on s.organization_id = m.organization_id and s.role = any (m.staff)
    inner join users.profiles as p on p.id = s.user_id
    where p.erased_at is null

    union all

    select null, r.email, null, 'en', null, '{}'
    from ops.alert_recipients as r
    where
        (
            recipients.topic like 'alert.%'
            or recipients.topic = 'reconciliation.differs'
            or (recipients.topic = 'payout.failed' and recipients.payload ->> 'organization_id' is null)
        )
        and (r.severity_least = 'warning' or recipients.payload ->> 'severity' = 'critical');
$$;

comment on function messaging.recipients(text, jsonb, timestamptz) is
'Return the people to notify of a message, their languages, and the facts for its text.';

grant execute on function messaging.recipients(text, jsonb, timestamptz) to service_role;
