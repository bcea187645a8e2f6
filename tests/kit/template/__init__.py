"""Check our rules for template.yaml, beyond its validity. Each rule yields its violations."""
