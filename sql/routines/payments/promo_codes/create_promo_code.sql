-- payments.create_promo_code: create a promo code of an organization: a discount, or credits after the payment.
--
-- For editors, admins and owners. Letters become capitals. A customer uses a code that adds credits once, unless the
-- terms allow more. Creating the same code with the same terms returns the first one.
--
-- Refuses: 403 forbidden, 409 promo_code_exists, 422 invalid_request.

create or replace function payments.create_promo_code(
    organization_id uuid,
    code text,
    kind payments.promo_kind,
    percent_bps integer default null,
    amount_cents bigint default null,
    currency text default null,
    valid_from timestamptz default null,
    valid_until timestamptz default null,
    uses_most integer default null,
    uses_most_per_customer integer default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_customer_limit integer := coalesce(
        create_promo_code.uses_most_per_customer, case when create_promo_code.kind = 'credits' then 1 end
    );
    the_code payments.promo_codes;
    was_made boolean;
begin
    if not organizations.caller_is(create_promo_code.organization_id, 'editor', 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only editors, admins and owners of the organization may create promo codes.'
            )::text;
    end if;

    insert into payments.promo_codes (
        organization_id, code, kind, percent_bps, amount_cents, currency, valid_from, valid_until, uses_most,
        uses_most_per_customer, created_by
    )
    values (
        create_promo_code.organization_id, upper(trim(create_promo_code.code)), create_promo_code.kind,
        create_promo_code.percent_bps, create_promo_code.amount_cents, create_promo_code.currency,
        coalesce(create_promo_code.valid_from, statement_timestamp()), create_promo_code.valid_until,
        create_promo_code.uses_most, the_customer_limit, ops.caller_id()
    )
    on conflict on constraint promo_code_is_unique do nothing;
    was_made := found;
    -- The caller may have lost the role while this waited for a request with the same code.
    if not organizations.caller_is(create_promo_code.organization_id, 'editor', 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;

    select c.* into the_code
    from payments.promo_codes as c
    where c.organization_id = create_promo_code.organization_id and c.code = upper(trim(create_promo_code.code));

    if
        not was_made
        and (
            the_code.kind, the_code.percent_bps, the_code.amount_cents, the_code.currency::text, the_code.valid_until,
            the_code.uses_most, the_code.uses_most_per_customer
        ) is distinct from (
            create_promo_code.kind, create_promo_code.percent_bps, create_promo_code.amount_cents,
            create_promo_code.currency, create_promo_code.valid_until, create_promo_code.uses_most,
            the_customer_limit
        )
    then
        raise exception using errcode = 'PT409', message = 'promo_code_exists';
    end if;
    return to_jsonb(the_code) - 'created_by';
exception
    when check_violation or foreign_key_violation or not_null_violation then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'A promo code needs 3 to 40 letters and digits, and a percentage, or an amount with a'
                ' currency.'
            )::text;
end;
$$;

comment on function payments.create_promo_code(
    uuid, text, payments.promo_kind, integer, bigint, text, timestamptz, timestamptz, integer, integer
) is 'Create a promo code of an organization: a discount, or credits after the payment.';

grant execute on function payments.create_promo_code(
    uuid, text, payments.promo_kind, integer, bigint, text, timestamptz, timestamptz, integer, integer
) to authenticated, service_role;
