-- payments.fee_states: fees for not attending and for late cancellations, with their state.
--
-- owed: not paid yet; paid: from the wallet at once, or later to the organizer; taken_back: waived, or withdrawn after
-- a correction of attendance. Contains the fees that the caller may see.

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
    end as status,
    f.kind
from payments.fees as f;

comment on view payments.fee_states is 'Fees for not attending and for late cancellations, with their state.';

grant select on payments.fee_states to app_read, app_write;
