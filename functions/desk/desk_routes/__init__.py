"""The routes of the front desk."""
