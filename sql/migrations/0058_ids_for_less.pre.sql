-- The same id for less: the time as a float, which holds milliseconds for 285,000 years, instead of a numeric.

create or replace function ops.uuid_v7()
returns uuid
language sql
volatile
parallel safe
return encode(
    set_bit(
        set_bit(
            substr(int8send((date_part('epoch', clock_timestamp()) * 1000)::bigint), 3)
            || substr(uuid_send(gen_random_uuid()), 7),
            52, 1
        ),
        53, 1
    ),
    'hex'
)::uuid;
