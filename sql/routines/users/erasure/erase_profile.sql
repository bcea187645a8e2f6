-- users.erase_profile: erase a person: end their bookings and memberships, pay out their credits, delete their data.
--
-- Cancels bookings of future events by the rules for customers, with the cost of a late cancellation
-- (events.end_booking). Closes waitlist entries and holds, and offers the seats to others. Empties wallets and passes
-- (payments.pay_out_credits). Ends memberships, so that no right outlives the person. Deletes, empties or replaces
-- personal data, as ops.retention says (ops.erase_person). Switches off the webhook endpoints of an organization that
-- has neither an owner nor an admin afterwards.
--
-- Sends `booking.cancelled` for each booking, and `person.erased` once to each organization that the person came to.
--
-- For the person and for the service. Repeating it covers later changes, such as an e-mail that was being sent or a
-- late payment. The only owner of an organization must transfer the ownership first. The service may erase them all the
-- same, and receives the organizations without an owner.
--
-- Locks the memberships of owners and admins, the profile, the person, and the inventories of the person's events. Then
-- it locks their payments, purchases and wallets, each in the order of their ids. The profile's lock makes
-- messaging.start_notification wait.
--
-- Refuses: 404 customer_not_found, 409 last_owner.

create or replace function users.erase_profile(user_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_emails text[];
    is_first boolean;
    the_instructor_names text[];
    the_organization_ids uuid[];
    ownerless_ids uuid[];
    managed_ids uuid[];
    event_ids uuid[];
    the_event_id uuid;
    the_entry events.waitlist_entries;
    the_booking events.bookings;
    the_credits jsonb;
    the_rows jsonb;
    bookings_cancelled integer := 0;
begin
    if
        (ops.caller_is_service() or erase_profile.user_id = ops.caller_id()) is not true
        or not exists (select from users.profiles as p where p.id = erase_profile.user_id)
    then
        raise exception using errcode = 'PT404', message = 'customer_not_found';
    end if;

    -- Two owners may ask at the same time: without the lock, each would still see the other one (write skew). Admins
    -- too.
    managed_ids := array(
        select o.organization_id
        from organizations.memberships as o
        where o.user_id = erase_profile.user_id and o.role in ('owner', 'admin')
    );
    perform
    from organizations.memberships as m
    where m.role in ('owner', 'admin') and m.organization_id = any (managed_ids)
    order by m.organization_id, m.user_id
    for update;

    -- While this waited, the person may have been promoted elsewhere.
    managed_ids := array(
        select o.organization_id
        from organizations.memberships as o
        where o.user_id = erase_profile.user_id and o.role in ('owner', 'admin')
    );

    ownerless_ids := array(
        select o.organization_id
        from organizations.memberships as o
        where
            o.user_id = erase_profile.user_id
            and o.role = 'owner'
            and not exists (
                select
                from organizations.memberships as s
                inner join users.profiles as p on p.id = s.user_id
                where
                    s.organization_id = o.organization_id
                    and s.role = 'owner'
                    and s.user_id <> o.user_id
                    and p.erased_at is null
            )
        order by o.organization_id
    );
    if ownerless_ids <> '{}' and not ops.caller_is_service() then
        raise exception using errcode = 'PT409', message = 'last_owner',
            detail = jsonb_build_object('organization_ids', ownerless_ids)::text;
    end if;

    select
        array_remove(array_append(p.former_emails, lower(users.verified_address(p))), null),
        p.erased_at is null
    into the_emails, is_first
    from users.profiles as p
    where p.id = erase_profile.user_id
    for no key update;

    update users.profiles as p
    set
        email = null, email_verified_at = null, former_emails = null, email_changed_at = null, name = null,
        erased_at = coalesce(p.erased_at, statement_timestamp())
    where p.id = erase_profile.user_id;

    -- Requests that take seats for the person hold this lock until they commit, and check afterwards that the person is
    -- not erased. So every seat is visible to the next statement, or is refused.
    perform events.lock_person(erase_profile.user_id);

    the_organization_ids := users.visited_organizations(erase_profile.user_id);
    the_instructor_names := array(
        select i.name
        from organizations.instructors as i
        where i.user_id = erase_profile.user_id
    );

    -- Lock all inventories first: the lock order has payments and wallets after the events.
    event_ids := array(
        select i.event_id
        from events.inventory as i
        where i.event_id in (
            select b.event_id
            from events.bookings as b
            where b.customer_id = erase_profile.user_id
            union
            select h.event_id
            from events.holds as h
            where h.customer_id = erase_profile.user_id and h.status = 'active'
            union
            select w.event_id
            from events.waitlist_entries as w
            where w.customer_id = erase_profile.user_id
        )
        order by i.event_id
        for no key update
    );

    perform payments.lock_promo_codes(array(
        select b.id
        from events.bookings as b
        inner join events.terms as t on t.event_id = b.event_id
        where
            b.customer_id = erase_profile.user_id
            and b.status in ('pending_payment', 'confirmed')
            and t.starts_at > statement_timestamp()
    ));

    perform
    from payments.intents as i
    where i.customer_id = erase_profile.user_id
    order by i.id
    for no key update;

    perform
    from payments.purchases as p
    where p.customer_id = erase_profile.user_id
    order by p.id
    for no key update;

    perform payments.lock_wallets(array(
        select a.id
        from payments.accounts as a
        where a.owner_kind = 'user' and a.owner_id = erase_profile.user_id and a.type = 'credits'
    ));

    foreach the_event_id in array event_ids loop
        for the_entry in
            select w.*
            from events.waitlist_entries as w
            where
                w.event_id = the_event_id
                and w.customer_id = erase_profile.user_id
                and w.status in ('waiting', 'offered')
        loop
            perform events.close_entry(the_entry, 'left', 'The account was erased.');
        end loop;

        update events.holds as h
        set status = 'released'
        where h.event_id = the_event_id and h.customer_id = erase_profile.user_id and h.status = 'active';

        for the_booking in
            select b.*
            from events.bookings as b
            inner join events.terms as t on t.event_id = b.event_id
            where
                t.starts_at > statement_timestamp()
                and b.event_id = the_event_id
                and b.customer_id = erase_profile.user_id
                and b.status in ('pending_payment', 'confirmed')
        loop
            bookings_cancelled := bookings_cancelled + 1;
            perform events.end_booking(the_booking, 'The account was erased.', waived => false);
        end loop;

        perform events.offer_seats(the_event_id);
    end loop;

    the_credits := payments.pay_out_credits(erase_profile.user_id);
    the_rows := ops.erase_person(erase_profile.user_id, the_emails, the_instructor_names);

    -- Endpoints belong to the organization and stay, unless nobody remains who may see or stop them.
    perform messaging.disable_webhook_endpoint(e.id, 'no_admin')
    from messaging.webhook_endpoints as e
    where
        e.enabled
        and e.organization_id = any (managed_ids)
        and not exists (
            select
            from organizations.memberships as s
            inner join users.profiles as p on p.id = s.user_id
            where
                s.organization_id = e.organization_id
                and s.role in ('owner', 'admin')
                and p.erased_at is null
        )
    order by e.id;

    if is_first then
        insert into public.outbox (topic, key, payload)
        select
            'person.erased', erase_profile.user_id::text,
            users.erasure_payload(erase_profile.user_id, o.id)
        from unnest(the_organization_ids) as o (id)
        order by o.id;
    end if;

    return jsonb_build_object(
        'user_id', erase_profile.user_id,
        'bookings_cancelled', bookings_cancelled,
        'memberships_ended', the_rows -> 'organizations.memberships',
        'credits', the_credits,
        'organizations_without_owner', ownerless_ids
    );
end;
$$;

comment on function users.erase_profile(uuid) is
'Erase a person: end their bookings and memberships, pay out their credits, delete their data.';

grant execute on function users.erase_profile(uuid) to authenticated, service_role;
