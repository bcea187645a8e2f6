"""Pages for a browser: payers pay and approve there, and owners of accounts sign up."""

import html
import json
import re
from urllib.parse import parse_qs

from local.stripe.service import Answer, Request, Service
from local.stripe.store import Json

HTML = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "frame-ancestors 'none'"}
TEXT = {"Content-Type": "text/plain"}
NOTHING = Answer(404, b"There is nothing here.", TEXT)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Stand-in</title>
<style>body{{font:16px system-ui;margin:4em auto;max-width:26em}}
button{{font:inherit;padding:.5em 1em;margin-right:1em}}</style>
</head><body><h1>{title}</h1><p>{text}</p>{buttons}
<script>
for (const button of document.querySelectorAll("button")) button.onclick = async () => {{
  const answer = await fetch(button.dataset.path, {{
    method: "POST", headers: {{"Content-Type": "application/json"}}, body: button.dataset.body}});
  if (!answer.ok) {{ alert((await answer.json()).error.message); return; }}
  if (button.dataset.then) location = button.dataset.then; else location.reload();
}};
</script></body></html>
"""


class Pages:
    """Serves GET requests of browsers; None for all others."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._pages = {
            "authenticate": self._authenticate,
            "checkout": self._checkout,
            "dashboard": self._dashboard,
            "onboarding": self._onboarding,
            "pay": self._pay,
            "receipts": self._receipt,
        }

    async def answer(self, request: Request) -> Answer | None:
        """Return the page of a path, if it has one."""
        found = re.fullmatch(r"/_stand_in/([a-z]+)/([A-Za-z0-9_]+)", request.path)
        show = None if found is None else self._pages.get(found[1])
        if request.method != "GET" or found is None or show is None:
            return None
        return show(found[2], request.query)

    def _receipt(self, id: str, _: str) -> Answer:
        intent = self._object("payment_intent", id)
        return _page("Receipt", f"{_amount(intent)}: {intent['status']}") if intent else NOTHING

    def _dashboard(self, id: str, _: str) -> Answer:
        account = self._object("account", id)
        return _page("Dashboard", f"This would be the dashboard of {id}.") if account else NOTHING

    def _authenticate(self, id: str, query: str) -> Answer:
        intent = self._object("payment_intent", id)
        if intent is None:
            return NOTHING
        if parse_qs(query).get("client_secret") != [intent["client_secret"]]:
            return Answer(403, b"The client secret is missing or wrong.", TEXT)
        if intent["status"] != "requires_action":
            return _page("Payment", f"{_amount(intent)}: {intent['status']}")
        back = (intent["next_action"].get("redirect_to_url") or {}).get("return_url")
        path = f"/_stand_in/payment_intents/{id}/authenticate"
        buttons = [
            button(label, path, {"outcome": outcome}, _then(back, intent, outcome) if back else "")
            for outcome, label in (("succeeded", "Approve"), ("failed", "Refuse"))
        ]
        return _page("Approve a payment", f"Somebody asks for {_amount(intent)}.", *buttons)

    def _pay(self, id: str, query: str) -> Answer:
        intent = self._object("payment_intent", id)
        if intent is None:
            return NOTHING
        if parse_qs(query).get("client_secret") != [intent["client_secret"]]:
            return Answer(403, b"The client secret is missing or wrong.", TEXT)
        if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
            return _page("Payment", f"{_amount(intent)}: {intent['status']}")
        path = f"/_stand_in/payment_intents/{id}/pay"
        ways = {"Pay by card": "pm_card_visa", "Pay by a card that is declined": "pm_card_chargeDeclined"}
        if "twint" in intent["payment_method_types"]:
            ways["Pay by TWINT"] = "twint"
        buttons = [button(label, path, {"payment_method": method}, "") for label, method in ways.items()]
        return _page("Pay", f"{_amount(intent)} are asked for.", *buttons)

    def _checkout(self, id: str, _: str) -> Answer:
        session = self._object("checkout.session", id)
        if session is None:
            return NOTHING
        if session["status"] != "open":
            return _page("Checkout", f"This session is {session['status']}.")
        path = f"/_stand_in/sessions/{id}/pay"
        success = (session["success_url"] or session["return_url"]).replace("{CHECKOUT_SESSION_ID}", id)
        buttons = [button("Pay by card", path, {"payment_method": "pm_card_visa"}, success)]
        buttons.append(button("Pay by a card that is declined", path, {"payment_method": "pm_card_chargeDeclined"}, ""))
        if "twint" in session["payment_method_types"]:
            buttons.append(button("Pay by TWINT", path, {"payment_method": "twint"}, success))
        amount = f"{session['amount_total'] / 100:.2f} {session['currency'].upper()}"
        return _page("Checkout", f"{amount} are asked for.", *buttons)

    def _onboarding(self, token: str, _: str) -> Answer:
        store = self._service.store
        link = store.hidden(f"link_{token}")
        if not link:
            return NOTHING
        if link.get("used") or link["expires_at"] <= self._service.clock.now():
            return Answer(303, b"", {"Location": link["refresh_url"]})
        store.hide(f"link_{token}", {**link, "used": True})
        path = f"/_stand_in/accounts/{link['account']}/activate"
        return _page(
            "Sign up",
            f"{link['account']} wants to take payments.",
            button("Tell everything, and be verified", path, {}, link["return_url"]),
            button("Leave", f"/_stand_in/accounts/{link['account']}/leave", {}, link["return_url"]),
        )

    def _object(self, kind: str, id: str) -> Json | None:
        owner = self._service.store.owner(kind, id)
        return None if owner is None else self._service.store.get(owner, kind, id)


def button(label: str, path: str, body: Json, then: str) -> str:
    """Return a button that posts to a control, and then opens another page."""
    attributes = {"data-path": path, "data-body": json.dumps(body), "data-then": then}
    written = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<button {written}>{html.escape(label)}</button>"


def _then(back: str, intent: Json, status: str) -> str:
    joint = "&" if "?" in back else "?"
    return (
        f"{back}{joint}payment_intent={intent['id']}&payment_intent_client_secret={intent['client_secret']}"
        f"&redirect_status={status}"
    )


def _amount(intent: Json) -> str:
    return f"{intent['amount'] / 100:.2f} {intent['currency'].upper()}"


def _page(title: str, text: str, *buttons: str) -> Answer:
    page = PAGE.format(title=html.escape(title), text=html.escape(text), buttons="".join(buttons))
    return Answer(200, page.encode(), HTML)
