-- payments.credits: credits that can be used now, in lots that the caller may see.
--
-- Wallet money is in cents, passes are in units.

create or replace view payments.credits with (security_invoker = true) as
select
    l.id,
    l.kind,
    l.source,
    l.organization_id,
    l.customer_id,
    l.currency,
    l.amount,
    l.remaining,
    nullif(l.expires_at, 'infinity') as expires_at,
    l.categories,
    l.created_at
from payments.credit_lots as l
where l.remaining > 0 and l.expires_at > statement_timestamp() and l.frozen_at is null;

comment on view payments.credits is 'Credits that can be used now.';

grant select on payments.credits to app_read, app_write;
