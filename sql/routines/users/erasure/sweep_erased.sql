-- users.sweep_erased: erase the next person again who was erased in the last 90 days or still has credits.
--
-- A payment may succeed after the erasure, and a concurrent request may commit after it. Each call erases the next
-- person after `after`, in the order of the erasures, so that each is a transaction of its own. Takes the locks of
-- users.erase_profile. For the service. Returns {"swept", "last"}; last is null at the end.
--
-- Refuses: 403 forbidden.

create or replace function users.sweep_erased(
    after timestamptz default '-infinity', at timestamptz default statement_timestamp()
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_profile users.profiles;
begin
    if not ops.caller_is_service() then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only the service may do this.')::text;
    end if;

    select p.* into the_profile
    from users.profiles as p
    where
        p.erased_at > coalesce(sweep_erased.after, '-infinity')
        and (
            p.erased_at > sweep_erased.at - interval '2160 hours'
            or exists (select from payments.credit_lots as l where l.customer_id = p.id and l.remaining > 0)
        )
    order by p.erased_at
    limit 1;

    if not found then
        return jsonb_build_object('swept', 0, 'last', null);
    end if;

    -- Several people may have the same time of erasure.
    perform users.erase_profile(p.id)
    from users.profiles as p
    where p.erased_at = the_profile.erased_at
    order by p.id;
    return jsonb_build_object('swept', 1, 'last', the_profile.erased_at);
end;
$$;

comment on function users.sweep_erased(timestamptz, timestamptz) is
'Erase the next person again who was erased in the last 90 days or still has credits.';

grant execute on function users.sweep_erased(timestamptz, timestamptz) to service_role;
