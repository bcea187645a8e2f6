-- organizations.customer_answer: return a customer as the API shows it to staff.
--
-- A walk-in has the address that staff entered. Other people have their verified address.

create or replace function organizations.customer_answer(customer organizations.customers, profile users.profiles)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
return jsonb_build_object(
    'id', (customer_answer.customer).customer_id,
    'organization_id', (customer_answer.customer).organization_id,
    'name', (customer_answer.profile).name,
    'email', coalesce((customer_answer.customer).email, users.verified_address(customer_answer.profile)),
    'phone', (customer_answer.customer).phone,
    'language', (customer_answer.profile).language,
    'walk_in', (customer_answer.customer).walk_in,
    'tags', to_jsonb((customer_answer.customer).tags),
    'blocked_at', (customer_answer.customer).blocked_at,
    'created_at', (customer_answer.customer).created_at
);

comment on function organizations.customer_answer(organizations.customers, users.profiles) is
'Return a customer as the API shows it to staff.';
