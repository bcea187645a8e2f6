-- messaging.recipients: return the receivers of a message, their languages, and the facts for its text.
--
-- messaging.topic_audience names the audience of a topic:
--
-- - customer: the person whom the payload names as customer_id;
-- - instructor: the person whom the payload names, or who leads the event, while a member of the organization;
-- - admins, bookkeepers: the organization's staff who can act on it;
-- - member: the person whom the payload names as user_id, while a member of the organization;
-- - invitee: the address of a pending invitation, unless it was sent again since;
-- - operators: the addresses in ops.alert_recipients. They also receive a failed payout of the platform, which
--   concerns the bookkeepers of no organization.
--
-- Erased people receive nothing. Nobody is reminded of a booking that has ended, or of an event that has started.
-- The event's partition is known from its terms, so that no other is read.

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
    with named as materialized (
        select
            messaging.topic_audience(recipients.topic) as audience,
            (n.members ->> 'booking_id')::uuid as booking_id,
            (n.members ->> 'event_id')::uuid as event_id,
            n.facts
        from (
            select f.facts, f.facts || recipients.payload as members
            from (select messaging.message_facts(recipients.topic, recipients.payload) as facts) as f
        ) as n
    ),

    matter as (
        select
            n.audience,
            o.id as organization_id,
            case
                when n.audience = 'customer' then (recipients.payload ->> 'customer_id')::uuid
                when n.audience = 'instructor' then i.user_id
                when n.audience = 'member' then (
                    select v.user_id
                    from organizations.memberships as v
                    where v.user_id = (recipients.payload ->> 'user_id')::uuid and v.organization_id = o.id
                )
            end as person_id,
            case n.audience
                when 'admins' then '{admin,owner}'
                when 'bookkeepers' then '{accountant,admin,owner}'
            end::organizations.member_role[] as staff,
            n.facts || jsonb_build_object(
                'organization', o.name, 'title', coalesce(e.title, k.name, recipients.payload ->> 'url'),
                'starts_at', e.starts_at, 'ends_at', e.ends_at, 'time_zone', coalesce(e.time_zone, o.time_zone),
                'local_times', (
                    select jsonb_object_agg(
                        m.name,
                        to_char(m.at at time zone coalesce(e.time_zone, o.time_zone), 'YYYY-MM-DD"T"HH24:MI:SS')
                    )
                    from (
                        values
                        ('starts_at', coalesce((recipients.payload ->> 'starts_at')::timestamptz, e.starts_at)),
                        ('ends_at', coalesce((recipients.payload ->> 'ends_at')::timestamptz, e.ends_at)),
                        ('previous_starts_at', (recipients.payload ->> 'previous_starts_at')::timestamptz),
                        ('offer_expires_at', (recipients.payload ->> 'offer_expires_at')::timestamptz)
                    ) as m (name, at)
                    where m.at is not null and coalesce(e.time_zone, o.time_zone) is not null
                ),
                'place', nullif(concat_ws(', ', l.name, l.address, l.city), ''),
                'instructor', (select d.name from organizations.instructors as d where d.id = e.instructor_id),
                'inviter', (
                    select v.name
                    from users.profiles as v
                    where v.id = (recipients.payload ->> 'offered_by')::uuid
                ),
                'customer', c.name, 'price_cents', b.price_cents, 'currency', b.currency,
                'payment_method', b.payment_method,
                'expires_on', (
                    ((recipients.payload ->> 'expires_at')::timestamptz - interval '1 microsecond')
                    at time zone o.time_zone
                )::date,
                'reason', messaging.notification_reason(recipients.topic, recipients.payload)
            ) as facts
        from named as n
        left join events.bookings as b on b.id = n.booking_id
        left join events.events as e
            on
                e.id = coalesce(n.event_id, b.event_id)
                and e.starts_at = (
                    select t.starts_at
                    from events.terms as t
                    where
                        t.event_id = coalesce(n.event_id, (
                            select f.event_id
                            from events.bookings as f
                            where f.id = n.booking_id
                        ))
                )
        left join organizations.organizations as o
            on o.id = coalesce((recipients.payload ->> 'organization_id')::uuid, e.organization_id)
        left join organizations.locations as l on l.id = e.location_id
        left join organizations.instructors as i
            on
                i.id = coalesce((recipients.payload ->> 'notified_instructor_id')::uuid, e.instructor_id)
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
    where p.erased_at is null

    union all

    select p.id, users.verified_address(p), p.name, p.language::text, m.organization_id, m.facts
    from matter as m
    inner join organizations.memberships as s on s.organization_id = m.organization_id and s.role = any (m.staff)
    inner join users.profiles as p on p.id = s.user_id
    where p.erased_at is null

    union all

    select
        null, i.email, null, i.language::text, i.organization_id,
        m.facts || jsonb_build_object('inviter', (select v.name from users.profiles as v where v.id = i.invited_by))
    from matter as m
    inner join organizations.invitations as i on i.id = (recipients.payload ->> 'id')::uuid
    where
        m.audience = 'invitee'
        and i.status = 'pending'
        and i.expires_at > recipients.at
        and i.sends = (recipients.payload ->> 'sends')::integer

    union all

    select null, r.email, null, 'en', null, '{}'
    from named as n
    cross join ops.alert_recipients as r
    where
        (
            n.audience = 'operators'
            or (n.audience = 'bookkeepers' and recipients.payload ->> 'organization_id' is null)
        )
        and (r.severity_least = 'warning' or recipients.payload ->> 'severity' = 'critical');
$$;

comment on function messaging.recipients(text, jsonb, timestamptz) is
'Return the receivers of a message, their languages, and the facts for its text.';

grant execute on function messaging.recipients(text, jsonb, timestamptz) to service_role;
