-- Record the actor of a posting by ops.caller_id, which ignores claims that the transaction's role does not allow.

alter table payments.transactions alter column actor_id set default ops.caller_id();
