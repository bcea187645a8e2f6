-- staging.parsed_registrations: the rows of class_registrations with typed values and their errors.
--
-- Instances are converted before. The capacity is not checked here.

create or replace view staging.parsed_registrations with (security_invoker = true) as
select
    r.line,
    r.id as legacy_id,
    c.id,
    t.event_id,
    t.organization_id,
    c.customer_id,
    r.customer_email,
    r.customer_name,
    staging.parse_integer(coalesce(r.seats, '1'), 1, 20) as seats,
    m.status::events.booking_status as status,
    m.status in ('confirmed', 'attended', 'no_show') as is_live,
    coalesce(
        p.method,
        case when staging.parse_cents(coalesce(r.amount_paid, '0'), u.decimal_places) > 0 then 'card' else 'none' end
    )::events.payment_method as payment_method,
    staging.parse_cents(coalesce(r.amount_paid, '0'), u.decimal_places) as price_cents,
    u.code as currency,
    t.policy,
    c.registered_at,
    case
        when m.status in ('cancelled', 'refunded') then coalesce(staging.parse_time(r.cancelled_at), c.registered_at)
    end as cancelled_at,
    b.id is not null as is_there,
    coalesce(r.problem, nullif(concat_ws(
        '; ',
        staging.import_problem(c.id is null, 'id', r.id, 'is no UUID'),
        staging.import_problem(
            c.id is not null and r.line > min(r.line) over (partition by c.id),
            'id', r.id, format('stands in line %s already', min(r.line) over (partition by c.id))
        ),
        staging.import_problem(b.event_id <> t.event_id, 'id', r.id, 'is that of a booking of another event'),
        staging.import_problem(
            t.event_id is null, 'class_instance_id', r.class_instance_id,
            case when j.line is null then 'is unknown' else format('was rejected (line %s)', j.line) end
        ),
        staging.import_problem(c.customer_id is null, 'customer_id', r.customer_id, 'is no UUID'),
        staging.import_problem(f.erased_at is not null, 'customer_id', r.customer_id, 'was erased'),
        staging.import_problem(
            case
                when f.id is null or f.erased_at is not null or t.event_id is null then false
                when lower(users.verified_address(f)) = lower(r.customer_email) then false
                else not organizations.has_customer(t.organization_id, f.id)
            end,
            'customer_id', r.customer_id,
            'is that of a person who never came to this organization; give their verified address as customer_email'
        ),
        staging.import_problem(
            not ops.is_address(r.customer_email), 'customer_email', r.customer_email, 'is no address'
        ),
        staging.import_problem(length(r.customer_name) > 200, 'customer_name', r.customer_name, 'is too long'),
        staging.import_problem(
            length(r.customer_name) <= 200 and not users.is_name(r.customer_name), 'customer_name', null,
            'is no name'
        ),
        staging.import_problem(
            r.seats is not null and staging.parse_integer(r.seats, 1, 20) is null, 'seats', r.seats,
            'is no number from 1 to 20'
        ),
        staging.import_problem(m.status is null, 'status', r.status, 'is unknown'),
        staging.import_problem(t.event_id is not null and u.code is null, 'currency', r.currency, 'is unknown'),
        staging.import_problem(
            u.code is not null and staging.parse_cents(coalesce(r.amount_paid, '0'), u.decimal_places) is null,
            'amount_paid', r.amount_paid, 'is no amount'
        ),
        staging.import_problem(
            r.payment_method is not null and p.method is null, 'payment_method', r.payment_method, 'is unknown'
        ),
        staging.import_problem(
            r.registered_at is not null and staging.parse_time(r.registered_at) is null, 'registered_at',
            r.registered_at, 'is no time with an offset'
        ),
        staging.import_problem(
            r.cancelled_at is not null and staging.parse_time(r.cancelled_at) is null, 'cancelled_at', r.cancelled_at,
            'is no time with an offset'
        )
    ), '')) as reason
from staging.class_registrations as r
cross join lateral (
    select
        case when pg_input_is_valid(r.id, 'uuid') then r.id::uuid end as id,
        case when pg_input_is_valid(r.class_instance_id, 'uuid') then r.class_instance_id::uuid end as event_id,
        case when pg_input_is_valid(r.customer_id, 'uuid') then r.customer_id::uuid end as customer_id,
        coalesce(staging.parse_time(r.registered_at), statement_timestamp()) as registered_at
) as c
left join events.terms as t on t.event_id = c.event_id
left join lateral (
    select min(g.line) as line
    from staging.outcomes as g
    where
        g.file = 'class_instances'
        and g.legacy_id = r.class_instance_id
        and g.outcome = 'rejected'
        and t.event_id is null
) as j on true
left join users.profiles as f on f.id = c.customer_id
left join events.bookings as b on b.id = c.id
left join ref.currencies as u on u.code = upper(coalesce(r.currency, t.currency))
left join (
    values
    ('confirmed', 'confirmed'), ('registered', 'confirmed'), ('booked', 'confirmed'), ('attended', 'attended'),
    ('checked_in', 'attended'), ('completed', 'attended'), ('no_show', 'no_show'), ('cancelled', 'cancelled'),
    ('canceled', 'cancelled'), ('refunded', 'refunded'), ('pending', 'expired'), ('pending_payment', 'expired'),
    ('expired', 'expired')
) as m (said, status) on m.said = lower(replace(coalesce(r.status, 'confirmed'), '-', '_'))
left join (
    values
    ('none', 'none'), ('free', 'none'), ('comp', 'comp'), ('card', 'card'), ('credit_card', 'card'), ('stripe', 'card'),
    ('twint', 'twint'), ('wallet', 'wallet'), ('credits', 'pass'), ('pass', 'pass'), ('invoice', 'invoice'),
    ('bank_transfer', 'invoice'), ('cash', 'invoice')
) as p (said, method) on p.said = lower(r.payment_method);

comment on view staging.parsed_registrations is 'Rows of class_registrations with typed values and their errors.';
