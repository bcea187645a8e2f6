-- events.mark_attendance: record marks of attendance that a device at the door collected, each with its own result.
--
-- `marks` is an array of {"key", "booking_id", "attended", "at", "waive"}, at most 500. Marks may come twice, late and
-- in any order: of each booking, the mark with the latest time counts, and of the same time the one with the greater
-- key. Staff, and the instructor who leads the event, may record them from one hour before the start
-- (events.apply_attendance).
--
-- A mark that cannot be recorded does not stop the others. The results are in the order of the marks: {"key", "result",
-- "code", "booking"}. `result` is recorded for the mark that counts, superseded for an earlier one, or refused with its
-- code: booking_not_found, invalid_transition, mark_in_future. Locks the event's inventory, the payments of the
-- credits, then the wallets together, in order. Recorded in the access log.
--
-- Refuses: 403 forbidden, 404 event_not_found, 409 too_early, 422 invalid_request.

create or replace function events.mark_attendance(event_id uuid, marks jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
    the_booking events.bookings;
    the_mark record;
    booking_ids uuid[];
begin
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_inventory(mark_attendance.event_id);
        end if;
        the_terms := events.require_door_staff(mark_attendance.event_id);
    end loop;
    if jsonb_array_length(mark_attendance.marks) not between 1 and 500 then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'Send 1 to 500 marks.')::text;
    end if;
    if statement_timestamp() < the_terms.starts_at - interval '1 hour' then
        raise exception using errcode = 'PT409', message = 'too_early',
            detail = jsonb_build_object('from', the_terms.starts_at - interval '1 hour')::text;
    end if;

    booking_ids := array(
        select b.id
        from events.bookings as b
        where
            b.event_id = mark_attendance.event_id
            and b.id in (
                select m.booking_id from jsonb_to_recordset(mark_attendance.marks) as m (booking_id uuid)
            )
    );
    perform payments.lock_credit_payments(booking_ids);
    perform payments.lock_wallets(array(
        select a.id
        from events.bookings as b
        inner join payments.accounts as a
            on
                a.owner_kind = 'user' and a.owner_id = b.customer_id and a.type = 'credits'
                and a.organization_id = b.organization_id
        where b.id = any (booking_ids)
    ));

    for the_mark in
        select distinct on (b.id) b.id, m.attended, coalesce(m.waive, false) as waive, m.at, m.key
        from jsonb_to_recordset(mark_attendance.marks)
            as m (key text, booking_id uuid, attended boolean, at timestamptz, waive boolean)
        inner join events.bookings as b on b.id = m.booking_id and b.id = any (booking_ids)
        left join events.attendance_marks as k on k.booking_id = b.id
        where
            b.status in ('confirmed', 'attended', 'no_show')
            and m.at <= statement_timestamp() + interval '1 minute'
            and (k.booking_id is null or (m.at, m.key collate "C") > (k.marked_at, k.key collate "C"))
        order by b.id, m.at desc, m.key collate "C" desc
    loop
        select b.* into the_booking from events.bookings as b where b.id = the_mark.id;
        perform events.apply_attendance(the_booking, the_mark.attended, the_mark.waive);

        insert into events.attendance_marks (booking_id, attended, marked_at, key)
        values (the_booking.id, the_mark.attended, the_mark.at, the_mark.key)
        on conflict on constraint one_mark_per_booking do update
        set attended = excluded.attended, marked_at = excluded.marked_at, key = excluded.key;
    end loop;

    perform ops.add_accesses(
        operation => 'attendance',
        read => (
            select jsonb_agg(jsonb_build_object(
                'organization_id', b.organization_id, 'person', b.customer_id, 'rows', 1
            ))
            from events.bookings as b
            where b.id = any (booking_ids)
        ),
        event_id => mark_attendance.event_id
    );
    return (
        select jsonb_agg(
            jsonb_build_object(
                'key', m.mark ->> 'key',
                'result', case
                    when r.code is not null then 'refused'
                    when k.key = m.mark ->> 'key' then 'recorded'
                    else 'superseded'
                end,
                'code', r.code,
                'booking', case when b.id is not null then events.attendance_answer(b) end
            )
            order by m.place
        )
        from jsonb_array_elements(mark_attendance.marks) with ordinality as m (mark, place)
        left join events.bookings as b
            on b.id = (m.mark ->> 'booking_id')::uuid and b.event_id = mark_attendance.event_id
        left join events.attendance_marks as k on k.booking_id = b.id
        cross join lateral (
            select case
                when b.id is null then 'booking_not_found'
                when b.status not in ('confirmed', 'attended', 'no_show') then 'invalid_transition'
                when (m.mark ->> 'at')::timestamptz > statement_timestamp() + interval '1 minute' then 'mark_in_future'
            end as code
        ) as r
    );
end;
$$;

comment on function events.mark_attendance(uuid, jsonb) is
'Record marks of attendance that a device at the door collected, each with its own result.';

grant execute on function events.mark_attendance(uuid, jsonb) to authenticated, service_role;
