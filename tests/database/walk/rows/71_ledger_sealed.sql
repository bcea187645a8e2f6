-- So far, all is sealed.
select payments.seal_entries(now() + interval '1 minute');
