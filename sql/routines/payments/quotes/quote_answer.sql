-- payments.quote_answer: a quote as people are told it; price_cents is what is to be paid.

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

comment on function payments.quote_answer(payments.quotes) is 'A quote as people are told it.';
