-- events.guard_states: create the triggers by which ops.enforce_transition guards states.
--
-- Runs each time this file changes. Safe to repeat.

create or replace procedure events.guard_states()
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
    guarded record;
begin
    for guarded in
        select g.*
        from (
            values
            ('events.bookings', 'booking'),
            ('events.holds', 'hold'),
            ('events.waitlist_entries', 'waitlist'),
            ('events.events', 'event'),
            ('events.series', 'series'),
            ('payments.intents', 'intent'),
            ('payments.refunds', 'refund'),
            ('payments.purchases', 'purchase')
        ) as g (table_name, machine)
    loop
        execute format(
            'create or replace trigger enforce_transition before update of status on %s '
            'for each row when (old.status is distinct from new.status) '
            'execute function ops.enforce_transition(%L)',
            guarded.table_name, guarded.machine
        );
    end loop;
end;
$$;

call events.guard_states();
