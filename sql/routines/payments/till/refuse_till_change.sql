-- payments.refuse_till_change: refuse to change or delete a movement of a till, or the report of a closed day.
--
-- Trigger. A mistake is corrected by another movement.
--
-- Refuses: 409 till_closed.

create or replace function payments.refuse_till_change()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'PT409', message = 'till_closed',
        detail = jsonb_build_object(
            'detail', 'A recorded movement or closing cannot be changed. Correct it by another movement.'
        )::text;
end;
$$;

create or replace trigger refuse_till_change before update or delete or truncate on payments.till_movements
for each statement execute function payments.refuse_till_change();

create or replace trigger refuse_till_change before update or delete or truncate on payments.till_closings
for each statement execute function payments.refuse_till_change();

alter table payments.till_movements enable always trigger refuse_till_change;
alter table payments.till_closings enable always trigger refuse_till_change;
