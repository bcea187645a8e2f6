"""The objects of accounts, capabilities and bank accounts."""

from local.stripe.identity import new_id, new_secret
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given
from local.stripe.store import Json

COUNTRIES = {"CH": "chf", "LI": "chf", "DE": "eur", "AT": "eur", "FR": "eur", "IT": "eur", "GB": "gbp", "US": "usd"}
DUE = ["business_profile.url", "external_account", "tos_acceptance.date", "tos_acceptance.ip"]
KINDS = {
    "standard": ("account", "stripe", "stripe", "full"),
    "express": ("application", "application", "stripe", "express"),
    "custom": ("application", "application", "application", "none"),
}


def bank_account(account: str, country: str, code: str) -> Json:
    """Return a bank account for payouts."""
    return {
        "id": new_id("ba"),
        "object": "bank_account",
        "account": account,
        "account_holder_name": None,
        "account_holder_type": None,
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": country,
        "currency": code,
        "default_for_currency": True,
        "fingerprint": new_secret(16),
        "future_requirements": requirements([], None, of_bank=True),
        "last4": "3000",
        "metadata": {},
        "requirements": requirements([], None, of_bank=True),
        "routing_number": None,
        "status": "new",
    }


def requirements(due: list[str], reason: str | None, *, of_bank: bool = False) -> Json:
    """Return the information that Stripe still requires; `of_bank`: in the form of a bank account."""
    made: Json = {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": list(due),
        "disabled_reason": reason,
        "errors": [],
        "eventually_due": list(due),
        "past_due": list(due),
        "pending_verification": [],
    }
    if of_bank:
        for name in ("alternatives", "current_deadline", "disabled_reason", "eventually_due"):
            del made[name]
    return made


def capability(account: Json, name: str) -> Json:
    """Return a capability of an account."""
    due = {**account["requirements"]}
    return {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "future_requirements": {**due, **requirements([], None)},
        "requested": True,
        "requested_at": account["created"],
        "requirements": due,
        "status": account["capabilities"][name],
    }


def new_account(work: RequestContext, id: str, country: str, given: Given) -> Json:
    """Return an account without any active capability."""
    kind = given.get("type", "none" if "controller" in given else "standard")
    payer, losses, collection, dashboard = KINDS.get(kind, KINDS["express"])
    controller = given.get("controller", {})
    made: Json = {
        "id": id,
        "object": "account",
        "business_profile": {
            **dict.fromkeys(("annual_revenue", "estimated_worker_count", "mcc", "name", "product_description")),
            **dict.fromkeys(("minority_owned_business_designation", "support_address", "support_email")),
            **dict.fromkeys(("support_phone", "support_url", "url")),
        },
        "business_type": None,
        "capabilities": {},
        "charges_enabled": False,
        "controller": {
            "fees": {"payer": controller.get("fees", {}).get("payer", payer)},
            "is_controller": True,
            "losses": {"payments": controller.get("losses", {}).get("payments", losses)},
            "requirement_collection": controller.get("requirement_collection", collection),
            "stripe_dashboard": {"type": controller.get("stripe_dashboard", {}).get("type", dashboard)},
            "type": "application",
        },
        "country": country,
        "created": work.now,
        "default_currency": COUNTRIES[country],
        "details_submitted": False,
        "email": None,
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "total_count": 0,
            "url": f"/v1/accounts/{id}/external_accounts",
        },
        "future_requirements": requirements([], None),
        "metadata": {},
        "payouts_enabled": False,
        "requirements": requirements(DUE, "requirements.past_due"),
        "settings": settings(),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": kind,
    }
    return made


def settings() -> Json:
    """Return the initial settings of an account."""
    descriptors = ("statement_descriptor", "statement_descriptor_kana", "statement_descriptor_kanji")
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            **dict.fromkeys(f"statement_descriptor_prefix{script}" for script in ("", "_kana", "_kanji")),
        },
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
        "payments": dict.fromkeys(descriptors),
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }
