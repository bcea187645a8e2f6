"""The template's own rules: what holds of template.yaml beyond being valid. Each rule names what breaks it."""
