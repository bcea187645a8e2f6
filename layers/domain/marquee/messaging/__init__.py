"""What people are told: the outbox carried outwards, texts in their language, each told once."""
