-- organizations.import_customers: enter the people of a list who are not there yet, and return a result for each.
--
-- For front desk, editors, admins and owners. `rows` is a list of {line, name, email, phone, language, note, tags}
-- whose members are checked. A row with the address of a customer exists. A row without an address exists if a walk-in
-- has the same name and phone number. So a repeated list enters nobody twice. A dry run returns the same results and
-- writes nothing: its savepoint is rolled back. Takes the lock of the organization's walk-ins. The rows beyond the
-- limit of a day are refused one by one.
--
-- Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request.

create or replace function organizations.import_customers(
    organization_id uuid, rows jsonb, dry_run boolean default false
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations;
    the_row jsonb;
    known_id uuid;
    results jsonb[] := '{}';
    walk_ins_max integer := ops.limit_value('walk_ins_per_day');
    walk_ins integer;
begin
    perform users.refuse_erased();
    perform events.require_organization(
        import_customers.organization_id, 'front_desk', 'editor', 'admin', 'owner'
    );
    if (jsonb_array_length(import_customers.rows) <= 5000 and import_customers.dry_run is not null) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'A list has at most 5000 people.')::text;
    end if;
    perform organizations.lock_walk_ins(import_customers.organization_id);
    -- The caller may have lost the role while this waited.
    the_organization := events.require_organization(
        import_customers.organization_id, 'front_desk', 'editor', 'admin', 'owner'
    );
    walk_ins := (
        select count(*)
        from organizations.customers as c
        where
            c.organization_id = the_organization.id
            and c.walk_in
            and c.created_at > statement_timestamp() - interval '24 hours'
    );

    begin
        for the_row in select r.value from jsonb_array_elements(import_customers.rows) as r loop
            if the_row ->> 'email' is not null then
                known_id := organizations.customer_at_address(the_organization.id, the_row ->> 'email');
            else
                known_id := (
                    select c.customer_id
                    from organizations.customers as c
                    where
                        c.organization_id = the_organization.id
                        and c.walk_in
                        and c.sort_name = left(events.folded(the_row ->> 'name'), 200) collate "C"
                        and organizations.phone_digits(c.phone)
                            is not distinct from organizations.phone_digits(the_row ->> 'phone')
                    order by c.customer_id
                    limit 1
                );
            end if;

            if known_id is not null then
                results := results || jsonb_build_object(
                    'line', the_row -> 'line', 'status', 'exists', 'customer_id', known_id
                );
            elsif walk_ins >= walk_ins_max then
                results := results || jsonb_build_object(
                    'line', the_row -> 'line', 'status', 'refused', 'reason', 'too_many_walk_ins'
                );
            else
                known_id := organizations.add_walk_in(the_organization.id, the_row, the_organization.language::text);
                walk_ins := walk_ins + 1;
                results := results || jsonb_build_object(
                    'line', the_row -> 'line', 'status', 'created', 'customer_id',
                    case when not import_customers.dry_run then known_id end
                );
            end if;
        end loop;
        if import_customers.dry_run then
            raise exception using errcode = 'MQ001';
        end if;
    exception
        when sqlstate 'MQ001' then
            null;
    end;
    return coalesce(
        (select jsonb_agg(r.result order by r.place) from unnest(results) with ordinality as r (result, place)), '[]'
    );
end;
$$;

comment on function organizations.import_customers(uuid, jsonb, boolean) is
'Enter the people of a list who are not there yet, and return a result for each.';

grant execute on function organizations.import_customers(uuid, jsonb, boolean) to authenticated, service_role;
