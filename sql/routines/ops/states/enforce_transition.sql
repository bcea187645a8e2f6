-- ops.enforce_transition: refuse a change of state that ops.transitions does not allow, and record the others.
--
-- A trigger before update of the status column, which is given the machine's name and fires only when the status
-- changes. The row's status_reason, if it has one, becomes the reason in the history.
--
-- Refuses: 409 invalid_transition, with from, to and the states that are allowed.

create or replace function ops.enforce_transition()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from ops.transitions as t
        where t.machine = tg_argv[0] and t.from_state = old.status::text and t.to_state = new.status::text
    ) then
        raise exception using errcode = 'PT409', message = 'invalid_transition',
            detail = jsonb_build_object(
                'machine', tg_argv[0],
                'from', old.status,
                'to', new.status,
                'allowed', (
                    select coalesce(jsonb_agg(t.to_state order by t.to_state), '[]')
                    from ops.transitions as t
                    where t.machine = tg_argv[0] and t.from_state = old.status::text
                )
            )::text;
    end if;

    insert into ops.state_history (machine, subject_id, from_state, to_state, actor_id, actor_role, reason)
    values (
        tg_argv[0], new.id, old.status, new.status, ops.caller_id(),
        case
            when ops.caller_is_service() then 'service_role'
            when ops.caller_id() is null then 'owner'
            else 'authenticated'
        end,
        to_jsonb(new) ->> 'status_reason'
    );

    return new;
end;
$$;

comment on function ops.enforce_transition() is
'Refuse unknown changes of state; record the others with actor and reason.';
