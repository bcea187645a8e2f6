"""The objects of checkout sessions and their line items."""

from local.stripe.errors import invalid, unknown
from local.stripe.identity import new_id
from local.stripe.money import currency
from local.stripe.parameters import merged, missing
from local.stripe.request_context import RequestContext
from local.stripe.routes import Given
from local.stripe.store import Json

HOSTED = "hosted_page"


def lines(given: Given) -> tuple[list[Json], str, int]:
    """Return the line items, their currency, and their total price."""
    items = given.get("line_items", [])
    if not items:
        raise missing("line_items")
    made, codes, total = [], set(), 0
    for place, item in enumerate(items):
        if "price" in item:
            raise unknown("price", item["price"], f"line_items[{place}][price]")
        if "price_data" not in item:
            raise missing(f"line_items[{place}][price_data]")
        price, quantity = item["price_data"], item.get("quantity", 1)
        for name in ("unit_amount", "product_data"):
            if name not in price:
                raise missing(f"line_items[{place}][price_data][{name}]")
        codes.add(currency(price["currency"]))
        total += price["unit_amount"] * quantity
        made.append(line(price, quantity))
    if len(codes) > 1:
        raise invalid("All line items must have the same currency.", param="line_items")
    return made, codes.pop(), total


def line(price: Json, quantity: int) -> Json:
    """Return one line item."""
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"].lower(),
        "description": price["product_data"]["name"],
        "metadata": {},
        "price": {
            "id": new_id("price"),
            "object": "price",
            "active": False,
            "billing_scheme": "per_unit",
            "created": 0,
            "currency": price["currency"].lower(),
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": None,
            "metadata": {},
            "nickname": None,
            "product": new_id("prod", 14),
            "recurring": None,
            "tax_behavior": price.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": price["unit_amount"],
            "unit_amount_decimal": str(price["unit_amount"]),
        },
        "quantity": quantity,
    }


def new_session(work: RequestContext, given: Given, code: str, total: int, expires_at: int) -> Json:
    """Return an open session; its customer, address and payment method are set later."""
    return {
        "id": new_id("cs_test", 58),
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": given.get("allow_promotion_codes"),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {
            "enabled": given.get("automatic_tax", {}).get("enabled", False),
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_address_collection": given.get("billing_address_collection"),
        "branding_settings": None,
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": work.now,
        "currency": code,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": None,
        "customer_account": None,
        "customer_creation": given.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": given.get("customer_email"),
        "discounts": [],
        "expires_at": expires_at,
        "invoice": None,
        "invoice_creation": {
            "enabled": False,
            "invoice_data": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": None,
                "metadata": {},
                "rendering_options": None,
            },
        },
        "livemode": False,
        "locale": given.get("locale"),
        "metadata": merged({}, given.get("metadata")),
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": given.get("phone_number_collection", {}).get("enabled", False)},
        "presentment_details": None,
        "recovered_from": None,
        "return_url": given.get("return_url"),
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": given.get("submit_type"),
        "subscription": None,
        "success_url": given.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": given.get("ui_mode", HOSTED),
        "url": None,
        "wallet_options": None,
    }
