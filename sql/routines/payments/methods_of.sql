-- payments.methods_of: how an organization's customers can pay in this currency.

create or replace function payments.methods_of(organization_id uuid, currency text)
returns events.payment_method[]
language sql
stable
security definer
set search_path = ''
as $$
    select array['card']::events.payment_method[]
        || case when methods_of.currency = 'CHF' then array['twint']::events.payment_method[] else '{}' end
        || array['wallet']::events.payment_method[];
$$;

comment on function payments.methods_of(uuid, text) is
'How an organization''s customers can pay; TWINT is for Swiss francs only.';
