-- staging.parsed_waitlists: the rows of waitlists with typed values and their errors.
--
-- Registrations are converted before. An open offer becomes a waiting entry again. An entry for an event that has
-- started is expired.

create or replace view staging.parsed_waitlists with (security_invoker = true) as
select
    w.line,
    w.id as legacy_id,
    c.id,
    t.event_id,
    c.customer_id,
    w.customer_email,
    w.customer_name,
    staging.parse_integer(coalesce(w.seats, '1'), 1, 20) as seats,
    staging.parse_integer(w.position, 0, 999999999) as position,
    case
        when m.status = 'waiting' and (t.starts_at <= statement_timestamp() or t.status <> 'scheduled') then 'expired'
        else m.status
    end::events.waitlist_status as status,
    b.id as booking_id,
    c.joined_at,
    e.id is not null as is_there,
    coalesce(w.problem, nullif(concat_ws(
        '; ',
        staging.import_problem(c.id is null, 'id', w.id, 'is no UUID'),
        staging.import_problem(
            c.id is not null and w.line > min(w.line) over (partition by c.id),
            'id', w.id, format('stands in line %s already', min(w.line) over (partition by c.id))
        ),
        staging.import_problem(e.event_id <> t.event_id, 'id', w.id, 'is that of a wait for another event'),
        staging.import_problem(
            t.event_id is null, 'class_instance_id', w.class_instance_id,
            case when j.line is null then 'is unknown' else format('was rejected (line %s)', j.line) end
        ),
        staging.import_problem(c.customer_id is null, 'customer_id', w.customer_id, 'is no UUID'),
        staging.import_problem(f.erased_at is not null, 'customer_id', w.customer_id, 'was erased'),
        staging.import_problem(
            case
                when f.id is null or f.erased_at is not null or t.event_id is null then false
                when lower(users.verified_address(f)) = lower(w.customer_email) then false
                else not organizations.has_customer(t.organization_id, f.id)
            end,
            'customer_id', w.customer_id,
            'is that of a person who never came to this organization; give their verified address as customer_email'
        ),
        staging.import_problem(
            not ops.is_address(w.customer_email), 'customer_email', w.customer_email, 'is no address'
        ),
        staging.import_problem(length(w.customer_name) > 200, 'customer_name', w.customer_name, 'is too long'),
        staging.import_problem(
            length(w.customer_name) <= 200 and not users.is_name(w.customer_name), 'customer_name', null,
            'is no name'
        ),
        staging.import_problem(
            w.seats is not null and staging.parse_integer(w.seats, 1, 20) is null, 'seats', w.seats,
            'is no number from 1 to 20'
        ),
        staging.import_problem(
            w.position is not null and staging.parse_integer(w.position, 0, 999999999) is null, 'position', w.position,
            'is no whole number'
        ),
        staging.import_problem(m.status is null, 'status', w.status, 'is unknown'),
        staging.import_problem(
            m.status = 'accepted' and b.id is null, 'status', w.status, 'needs a registration of the customer'
        ),
        staging.import_problem(
            m.status = 'waiting' and b.id is not null and e.id is null, 'customer_id', w.customer_id,
            'has a registration of this class'
        ),
        staging.import_problem(
            w.joined_at is not null and staging.parse_time(w.joined_at) is null, 'joined_at', w.joined_at,
            'is no time with an offset'
        )
    ), '')) as reason
from staging.waitlists as w
cross join lateral (
    select
        case when pg_input_is_valid(w.id, 'uuid') then w.id::uuid end as id,
        case when pg_input_is_valid(w.class_instance_id, 'uuid') then w.class_instance_id::uuid end as event_id,
        case when pg_input_is_valid(w.customer_id, 'uuid') then w.customer_id::uuid end as customer_id,
        coalesce(staging.parse_time(w.joined_at), statement_timestamp()) as joined_at
) as c
left join events.terms as t on t.event_id = c.event_id
left join lateral (
    select min(g.line) as line
    from staging.outcomes as g
    where
        g.file = 'class_instances'
        and g.legacy_id = w.class_instance_id
        and g.outcome = 'rejected'
        and t.event_id is null
) as j on true
left join users.profiles as f on f.id = c.customer_id
left join events.waitlist_entries as e on e.id = c.id
left join events.bookings as b
    on b.event_id = t.event_id and b.customer_id = c.customer_id and not b.guest
    and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
left join (
    values
    ('waiting', 'waiting'), ('active', 'waiting'), ('notified', 'waiting'), ('offered', 'waiting'),
    ('promoted', 'accepted'), ('accepted', 'accepted'), ('converted', 'accepted'), ('expired', 'expired'),
    ('cancelled', 'left'), ('canceled', 'left'), ('left', 'left'), ('removed', 'left')
) as m (said, status) on m.said = lower(coalesce(w.status, 'waiting'));

comment on view staging.parsed_waitlists is 'Rows of waitlists with typed values and their errors.';
