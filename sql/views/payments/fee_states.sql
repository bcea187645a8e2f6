-- payments.fee_states: what not coming cost, and whether it is still owed.
--
-- owed; paid: from the wallet at once, or later at the organizer's; taken_back: waived, or attendance was corrected.
-- For whoever may see the fee.

create or replace view payments.fee_states with (security_invoker = true) as
select
    f.id,
    f.booking_id,
    f.organization_id,
    f.customer_id,
    f.amount_cents,
    f.currency,
    f.paid_from,
    f.charged_at,
    coalesce(f.paid_at, case when f.paid_from = 'wallet' then f.charged_at end) as paid_at,
    f.taken_back_at,
    f.reason,
    case
        when f.taken_back_at is not null then 'taken_back'
        when f.paid_from = 'wallet' or f.paid_at is not null then 'paid'
        else 'owed'
    end as status
from payments.fees as f;

comment on view payments.fee_states is 'What not coming cost, and whether it is still owed.';

grant select on payments.fee_states to app_read, app_write;
