-- users.refuse_consent_change: refuse every update of a consent, for every caller. Only an erasure deletes rows.
--
-- Raises integrity_constraint_violation, which no route translates, because no route reaches this.

create or replace function users.refuse_consent_change()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
    raise integrity_constraint_violation using message = 'Consents are append-only.';
end;
$$;

comment on function users.refuse_consent_change() is 'Refuse every update of a consent, for every caller.';

create or replace trigger refuse_change before update on users.consents
for each row execute function users.refuse_consent_change();
