-- ops.begin_preview: remember where the messages and state changes of this transaction start, for ops.preview_effects.
--
-- Called before the first write of a transaction that is rolled back.

create or replace function ops.begin_preview()
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform users.refuse_erased();
    perform set_config(
        'ops.preview',
        jsonb_build_object(
            'message', (select coalesce(max(o.id), 0) from public.outbox as o),
            'change', (select coalesce(max(h.id), 0) from ops.state_history as h)
        )::text,
        true
    );
end;
$$;

comment on function ops.begin_preview() is
'Remember where the messages and state changes of this transaction start, for ops.preview_effects.';

grant execute on function ops.begin_preview() to authenticated, service_role;
