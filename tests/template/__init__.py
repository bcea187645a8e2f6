"""The template's own rules: what holds of template.yaml beyond being valid, each rule a function that names what breaks it."""
