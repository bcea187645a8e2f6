"""Checks whether a connected account may receive money."""

from local.stripe.errors import invalid
from local.stripe.request_context import RequestContext
from local.stripe.store import Json


def check_destination(work: RequestContext, made: Json) -> None:
    """Refuse a payment for an account that does not exist or cannot receive it."""
    if made["transfer_data"] is not None:
        receiving(work, made["transfer_data"]["destination"], "transfer_data[destination]")
    if made["on_behalf_of"] is not None:
        account = _account(work, made["on_behalf_of"], "on_behalf_of")
        _refuse_without_cards(account)
    if work.connected:
        account = work.on(work.platform).get("account", work.account, "account")
        _refuse_without_cards(account)


def receiving(work: RequestContext, id: str, param: str) -> Json:
    """Return the account that receives a transfer. Raises Refused if it is unknown or not ready."""
    account = _account(work, id, param)
    if account["capabilities"].get("transfers") != "active":
        raise invalid(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
            "crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    return account


def _account(work: RequestContext, id: str, param: str) -> Json:
    account = None if work.connected else work.find("account", id)
    if account is None:
        raise invalid(f"No such destination: '{id}'", code="resource_missing", param=param)
    return account


def _refuse_without_cards(account: Json) -> None:
    if account["capabilities"].get("card_payments") != "active":
        raise invalid(
            f"The account {account['id']} must have the `card_payments` capability enabled to take payments.",
            param="on_behalf_of",
        )
