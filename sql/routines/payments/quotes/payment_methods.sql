-- payments.payment_methods: return the payment methods of an organization's customers for a currency.
--
-- TWINT takes Swiss francs only. Passes need a lot of passes at the organization, invoices the organization's
-- permission.

create or replace function payments.payment_methods(organization_id uuid, currency text)
returns events.payment_method[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select array['card']::events.payment_method[]
        || case when payment_methods.currency = 'CHF' then array['twint']::events.payment_method[] else '{}' end
        || array['wallet']::events.payment_method[]
        || case
            when exists (
                select
                from payments.credit_lots as l
                where l.organization_id = payment_methods.organization_id and l.kind = 'pass'
            ) then array['pass']::events.payment_method[]
            else '{}'
        end
        || case
            when exists (
                select
                from organizations.payout_settings as s
                where s.organization_id = payment_methods.organization_id and s.invoices_allowed
            ) then array['invoice']::events.payment_method[]
            else '{}'
        end;
$$;

comment on function payments.payment_methods(uuid, text) is
'Return the payment methods of an organization''s customers for a currency.';
