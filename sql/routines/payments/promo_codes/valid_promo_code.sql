-- payments.valid_promo_code: return an organization's promo code if it is valid at a time and for a currency.
--
-- Ignores case. A percentage is valid for every currency. The number of uses is checked only when the code is used.
-- Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 404 promo_code_not_found, 409 promo_code_not_valid, with the reason: not_yet, over, currency.

create or replace function payments.valid_promo_code(
    organization_id uuid, code text, currency text, at timestamptz
)
returns payments.promo_codes
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    the_code payments.promo_codes;
    the_reason text;
begin
    select c.* into the_code
    from payments.promo_codes as c
    where
        c.organization_id = valid_promo_code.organization_id
        and c.code = upper(trim(valid_promo_code.code))
        and c.active;

    if not found then
        raise exception using errcode = 'PT404', message = 'promo_code_not_found';
    end if;

    the_reason := case
        when valid_promo_code.at < the_code.valid_from then 'not_yet'
        when valid_promo_code.at >= the_code.valid_until then 'over'
        when the_code.currency <> valid_promo_code.currency then 'currency'
    end;
    if the_reason is not null then
        raise exception using errcode = 'PT409', message = 'promo_code_not_valid',
            detail = jsonb_build_object('reason', the_reason)::text;
    end if;
    return the_code;
end;
$$;

comment on function payments.valid_promo_code(uuid, text, text, timestamptz) is
'Return an organization''s promo code if it is valid at a time and for a currency.';
