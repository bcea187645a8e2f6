-- Money of erased people that cannot go back the way it came is owed by the organization in an account of its own.

alter type payments.account_type add value if not exists 'unclaimed' after 'clearing';
