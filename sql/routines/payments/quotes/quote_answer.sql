-- payments.quote_answer: return a quote as the API shows it; price_cents is the amount to pay.

create or replace function payments.quote_answer(quote payments.quotes)
returns jsonb
language sql
stable
return jsonb_build_object(
    'price_cents', (quote_answer.quote).total_cents,
    'list_cents', (quote_answer.quote).list_cents,
    'discount_cents', (quote_answer.quote).discount_cents,
    'net_cents', (quote_answer.quote).net_cents,
    'tax_cents', (quote_answer.quote).tax_cents,
    'tax_percent', (quote_answer.quote).tax_bps / 100.0,
    'tax_added', (quote_answer.quote).tax_added,
    'currency', (quote_answer.quote).currency
);

comment on function payments.quote_answer(payments.quotes) is
'Return a quote as the API shows it; price_cents is the amount to pay.';
