-- payments.grant_credits: give a customer credits at the organization's expense: money in their wallet, or a pass.
--
-- For admins, owners and accountants of the organization, and for customers of that organization only. The same key
-- grants once. Notifies the customer. Returns the credits as they were granted.
--
-- Refuses: 400 idempotency_key_required, 403 forbidden, 404 customer_not_found, 404 organization_not_found,
-- 422 idempotency_conflict, 422 invalid_request.

create or replace function payments.grant_credits(
    organization_id uuid,
    customer_id uuid,
    kind payments.credit_kind,
    amount bigint,
    idempotency_key text,
    currency text default null,
    expires_at timestamptz default null,
    categories text[] default null,
    note text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_lot_id uuid := ops.uuid_v7();
    the_first_answer text;
begin
    if not organizations.caller_is(grant_credits.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only accountants, admins and owners of the organization may grant credits.'
            )::text;
    end if;
    -- Staff pass the role check only in an existing organization. The service passes it with any id.
    if not exists (select from organizations.organizations as o where o.id = grant_credits.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    if grant_credits.idempotency_key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required';
    end if;
    -- The key comes before checks that may fail later for the same request, such as an expiry that has passed.
    the_first_answer := ops.first_answer(
        'grant_credits', grant_credits.idempotency_key,
        jsonb_build_array(
            grant_credits.organization_id, grant_credits.customer_id, grant_credits.kind, grant_credits.amount,
            grant_credits.currency, grant_credits.expires_at, grant_credits.categories
        ) || case when grant_credits.note is null then '[]' else jsonb_build_array(grant_credits.note) end
    );
    -- Before the wallet, because a first credit also enters the customer (organizations.enter_customer).
    perform events.lock_person(grant_credits.customer_id);
    -- The caller may have lost the role while this waited for a request with the same key, or for the person.
    if not organizations.caller_is(grant_credits.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;
    if the_first_answer is not null then
        return case
            when starts_with(the_first_answer, '{') then the_first_answer::jsonb || jsonb_build_object('customer_id', grant_credits.customer_id)
            else payments.lot_answer(ops.answered_id(the_first_answer))
        end;
    end if;
    perform organizations.require_customer(grant_credits.organization_id, grant_credits.customer_id);
    if
        (grant_credits.amount between 1 and 100000000) is not true
        or grant_credits.expires_at <= statement_timestamp()
        or (grant_credits.kind = 'wallet') is distinct from (grant_credits.currency is not null)
        or grant_credits.kind is null
        or (grant_credits.kind = 'wallet' and grant_credits.categories is not null)
        or not exists (
            select from ref.currencies as c where c.code = coalesce(grant_credits.currency, c.code)
        )
        or exists (
            select
            from unnest(grant_credits.categories) as g (slug)
            where not exists (select from ref.event_categories as c where c.slug = g.slug)
        )
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'Credits need a positive amount, a future expiry, and a currency (money) or known'
                ' categories (pass).'
            )::text;
    end if;

    if grant_credits.kind = 'wallet' then
        perform payments.grant_money(
            organization_id => grant_credits.organization_id, customer_id => grant_credits.customer_id,
            amount_cents => grant_credits.amount, currency => grant_credits.currency, source => 'grant',
            idempotency_key => 'credits_granted:' || the_lot_id,
            expires_at => coalesce(grant_credits.expires_at, 'infinity'), note => grant_credits.note,
            lot_id => the_lot_id
        );
    else
        insert into payments.credit_lots (
            id, kind, source, organization_id, customer_id, amount, remaining, expires_at, categories, note,
            granted_by
        )
        values (
            the_lot_id, 'pass', 'grant', grant_credits.organization_id, grant_credits.customer_id,
            grant_credits.amount, grant_credits.amount, coalesce(grant_credits.expires_at, 'infinity'),
            grant_credits.categories, grant_credits.note, ops.caller_id()
        );
    end if;
    -- The same, while this waited for the wallet.
    if not organizations.caller_is(grant_credits.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;
    perform payments.notify_credits(the_lot_id);

    return ops.keep_answer('grant_credits', grant_credits.idempotency_key, payments.lot_answer(the_lot_id));
end;
$$;

comment on function payments.grant_credits(
    uuid, uuid, payments.credit_kind, bigint, text, text, timestamptz, text[], text
) is 'Give a customer credits at the organization''s expense: money in their wallet, or a pass.';

grant execute on function payments.grant_credits(
    uuid, uuid, payments.credit_kind, bigint, text, text, timestamptz, text[], text
) to authenticated, service_role;
