-- events.sales_end_at: return when sales end: for staff at the end of the event, for others at the policy's cut-off.
--
-- The only definition of this moment. No hold and no offer lasts longer. The planner inlines it into the calling
-- statement.

create or replace function events.sales_end_at(terms events.terms, for_staff boolean)
returns timestamptz
language sql
immutable
return case
    when sales_end_at.for_staff then (sales_end_at.terms).ends_at
    else least((sales_end_at.terms).ends_at, (sales_end_at.terms).closes_at)
end;

comment on function events.sales_end_at(events.terms, boolean) is
'Return when sales end: for staff at the end of the event, for others at the policy''s cut-off.';

grant execute on function events.sales_end_at(events.terms, boolean) to app_read;
