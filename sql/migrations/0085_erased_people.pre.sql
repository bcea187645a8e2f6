-- Money of erased people never goes to a wallet.

-- A failed refund of an erased person goes to the organization's unclaimed balances.
alter table payments.refunds drop constraint destination_is_known;
alter table payments.refunds add constraint destination_is_known
check (destination in ('original', 'wallet', 'invoice', 'dispute', 'unclaimed'));
