-- payments.is_disputed: whether a dispute has taken a payment back, for now or for good.

create or replace function payments.is_disputed(intent_id uuid)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
    select exists (
        select from payments.disputes as d where d.intent_id = is_disputed.intent_id and d.withdrawn
    );
$$;

comment on function payments.is_disputed(uuid) is 'Whether a dispute has taken a payment back.';
