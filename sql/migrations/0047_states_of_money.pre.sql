-- What may really become of a payment, a refund and a package: whoever hears of it late hears of it all the same.

insert into ops.transitions (machine, from_state, to_state)
values
-- It was given up here, and paid at Stripe before Stripe heard of that.
('intent', 'cancelled', 'succeeded'),
-- Stripe took it, and its answer to that was lost: what it answered to the next attempt was a refusal.
('refund', 'failed', 'pending'),
('refund', 'failed', 'succeeded'),
('purchase', 'pending', 'granted'),
('purchase', 'pending', 'expired'),
('purchase', 'expired', 'granted'),
('purchase', 'granted', 'refunded');
