-- payments.refuse_ledger_change: refuse to update, delete or truncate rows of the ledger.
--
-- Trigger that fires always, even in a session that replays as a replica, where ordinary triggers do not.
--
-- Refuses: 409 ledger_is_append_only.

create or replace function payments.refuse_ledger_change()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'PT409', message = 'ledger_is_append_only',
        detail = jsonb_build_object(
            'table', tg_table_schema || '.' || tg_table_name, 'operation', lower(tg_op),
            'detail', 'Ledger entries cannot be changed. Correct a transaction by payments.reverse_transaction.'
        )::text;
end;
$$;

create or replace trigger refuse_change before update or delete or truncate on payments.accounts
for each statement execute function payments.refuse_ledger_change();

create or replace trigger refuse_change before update or delete or truncate on payments.transactions
for each statement execute function payments.refuse_ledger_change();

create or replace trigger refuse_change before update or delete or truncate on payments.entries
for each statement execute function payments.refuse_ledger_change();

create or replace trigger refuse_change before update or delete or truncate on payments.seals
for each statement execute function payments.refuse_ledger_change();

alter table payments.accounts enable always trigger refuse_change;
alter table payments.transactions enable always trigger refuse_change;
alter table payments.entries enable always trigger refuse_change;
alter table payments.seals enable always trigger refuse_change;
