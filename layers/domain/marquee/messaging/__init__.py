"""Messages to people and subscribers: the relay of the outbox, texts in their languages, webhooks."""
