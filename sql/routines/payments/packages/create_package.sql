-- payments.create_package: create a package for sale: money for wallets, or a pass for classes.
--
-- For admins and owners of the organization. Packages do not change, so a sold one keeps its terms;
-- payments.end_package ends the sale. Returns the package.
--
-- Refuses: 403 forbidden, 422 invalid_request.

create or replace function payments.create_package(
    organization_id uuid,
    name text,
    kind payments.credit_kind,
    price_cents bigint,
    currency text,
    amount bigint,
    bonus bigint default 0,
    valid_days integer default null,
    categories text[] default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_package payments.packages;
begin
    if not organizations.caller_is(create_package.organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only admins and owners of the organization may create packages.'
            )::text;
    end if;
    if exists (
        select
        from unnest(create_package.categories) as g (slug)
        where not exists (select from ref.event_categories as c where c.slug = g.slug)
    ) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'There is no such category. Choose categories that exist.')::text;
    end if;

    insert into payments.packages (
        organization_id, name, kind, price_cents, currency, amount, bonus, valid_days, categories
    )
    values (
        create_package.organization_id, create_package.name, create_package.kind, create_package.price_cents,
        create_package.currency, create_package.amount, create_package.bonus, create_package.valid_days,
        create_package.categories
    )
    returning * into the_package;
    return to_jsonb(the_package);
exception
    when check_violation or foreign_key_violation or not_null_violation then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'A package needs a name, a price and credits.')::text;
end;
$$;

comment on function payments.create_package(
    uuid, text, payments.credit_kind, bigint, text, bigint, bigint, integer, text[]
) is 'Create a package for sale: money for wallets, or a pass for classes.';

grant execute on function payments.create_package(
    uuid, text, payments.credit_kind, bigint, text, bigint, bigint, integer, text[]
) to authenticated, service_role;
