-- events.copy_terms: keep events.terms, the facts about an event that a booking needs, equal to the event.
--
-- A row trigger, after each insert and each update of a copied column. Computes the sales window from the policy's
-- minutes, and its days in the event's time zone. Holds that would outlive changed sales are shortened
-- (events.cap_holds). A shift to another partition changes the start alone, which the foreign key follows
-- (ops.is_partition_shift).

create or replace function events.copy_terms()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    last_offer_minutes integer;
    is_archived boolean;
begin
    if tg_op = 'UPDATE' and ops.is_partition_shift(old.starts_at, new.starts_at) then
        return null;
    end if;

    select o.last_offer_minutes, o.archived_at is not null into last_offer_minutes, is_archived
    from organizations.organizations as o
    where o.id = new.organization_id;

    insert into events.terms as t (
        event_id, organization_id, starts_at, ends_at, status, visibility, price_cents, currency,
        opens_at, closes_at, last_offer_at, policy, archived
    )
    values (
        new.id, new.organization_id, new.starts_at, new.ends_at, new.status, new.visibility, new.price_cents,
        new.currency,
        ops.move_days(new.starts_at, -(new.policy ->> 'opens_days_before')::integer, new.time_zone),
        least(
            new.ends_at,
            new.starts_at - make_interval(mins => coalesce((new.policy ->> 'closes_minutes_before')::integer, 0))
        ),
        new.starts_at - make_interval(mins => last_offer_minutes),
        new.policy,
        is_archived
    )
    on conflict (event_id) do update
    set
        starts_at = excluded.starts_at,
        ends_at = excluded.ends_at,
        status = excluded.status,
        visibility = excluded.visibility,
        price_cents = excluded.price_cents,
        currency = excluded.currency,
        opens_at = excluded.opens_at,
        closes_at = excluded.closes_at,
        last_offer_at = excluded.last_offer_at,
        policy = excluded.policy
    where
        (
            t.starts_at, t.ends_at, t.status, t.visibility, t.price_cents, t.currency,
            t.opens_at, t.closes_at, t.last_offer_at, t.policy
        ) is distinct from (
            excluded.starts_at, excluded.ends_at, excluded.status, excluded.visibility, excluded.price_cents,
            excluded.currency, excluded.opens_at, excluded.closes_at, excluded.last_offer_at, excluded.policy
        );

    -- A start in another month moves the event to another partition, which fires the trigger as an insertion.
    if found then
        perform events.cap_holds(new.id);
    end if;
    return null;
end;
$$;

create or replace trigger copy_terms_inserted after insert on events.events
for each row execute function events.copy_terms();

create or replace trigger copy_terms_updated after update of
starts_at, ends_at, time_zone, status, visibility, price_cents, currency, policy on events.events
for each row execute function events.copy_terms();
