-- organizations.settings_answer: return an organization with its settings and business details, as JSON, for its staff.
--
-- Internal: called by routines that have checked the caller.

create or replace function organizations.settings_answer(organization_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        jsonb_build_object(
            'legal_name', d.legal_name,
            'street', d.street,
            'postal_code', d.postal_code,
            'city', d.city,
            'contact_email', d.contact_email,
            'contact_phone', d.contact_phone,
            'website', d.website,
            'tax_number', d.tax_number,
            'invoice_due_days', coalesce(d.invoice_due_days, 14),
            'invoice_note', d.invoice_note
        )
        || (to_jsonb(o) - 'calendar_changes')
        || jsonb_build_object(
            'fee_bps', coalesce(p.fee_bps, 500),
            'fee_refunded', coalesce(p.fee_refunded, true),
            'invoices_allowed', coalesce(p.invoices_allowed, false),
            'payment_minutes', coalesce(p.payment_minutes, 15)
        )
    from organizations.organizations as o
    left join organizations.business_details as d on d.organization_id = o.id
    left join organizations.payout_settings as p on p.organization_id = o.id
    where o.id = settings_answer.organization_id;
$$;

comment on function organizations.settings_answer(uuid) is
'Return an organization with its settings and business details, as JSON, for its staff.';
