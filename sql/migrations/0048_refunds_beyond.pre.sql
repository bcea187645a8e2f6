-- Money that went back in ways that we did not choose: by hand at Stripe, or by the customer's bank.

alter table payments.refunds
add column beyond boolean not null default false,
add column earlier_stripe_ids text[] not null default '{}',
add constraint beyond_gives_back_no_sale check (not (beyond and sold));

comment on column payments.refunds.beyond is
'Somebody sent it at Stripe beyond all that was left to give back: the customer owes it.';
comment on column payments.refunds.earlier_stripe_ids is
'What Stripe called it before it was sent anew; news of these is old.';

-- One refund made at Stripe may be several of ours: what was left of the sale, one that waited, what is beyond both.
alter table payments.refunds drop constraint refunds_stripe_refund_id_key;
create index refunds_by_stripe_id on payments.refunds (stripe_refund_id) where stripe_refund_id is not null;

-- A dispute that is lost has given the customer what was still on its way to them.
alter table payments.refunds drop constraint destination_is_known;
alter table payments.refunds add constraint destination_is_known
check (destination in ('original', 'wallet', 'invoice', 'dispute'));

-- These answer something else, or take more, from now on.
drop function if exists payments.adopt_refund(payments.intents, text, bigint, bigint);
drop function if exists payments.take_over_refund(payments.intents, text, bigint);
