-- What telling people of money needs: whether an e-mail may have gone out already.

alter table messaging.deliveries add column uncertain boolean not null default false;

comment on column messaging.deliveries.uncertain is
'An attempt ended without anybody knowing whether it went out: another one is marked as sent again.';

-- These take more than they did.
drop function if exists messaging.audience(text, jsonb);
drop function if exists messaging.finish_telling(bigint, text, text, text, boolean, timestamptz);
