"""Pages for a browser: where a payer authenticates a payment, and what a receipt looks like."""

import html
import re
from urllib.parse import parse_qs

from local.stripe.service import Answer, Request, Service
from local.stripe.store import Json

HTML = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "frame-ancestors 'none'"}
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
    """Answers GET requests that are for eyes; None for all others."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def answer(self, request: Request) -> Answer | None:
        """The page of a path, if it has one."""
        if request.method != "GET":
            return None
        found = re.fullmatch(r"/_stand_in/(authenticate|receipts)/([A-Za-z0-9_]+)", request.path)
        if found is None:
            return None
        intent = self._object("payment_intent", found[2])
        if intent is None:
            return Answer(404, b"There is no such payment.", {"Content-Type": "text/plain"})
        amount = f"{intent['amount'] / 100:.2f} {intent['currency'].upper()}"
        if found[1] == "receipts":
            return _page("Receipt", f"{amount}: {intent['status']}", "")
        if parse_qs(request.query).get("client_secret") != [intent["client_secret"]]:
            return Answer(403, b"The client secret is missing or wrong.", {"Content-Type": "text/plain"})
        if intent["status"] != "requires_action":
            return _page("Payment", f"{amount}: {intent['status']}", "")
        back = (intent["next_action"].get("redirect_to_url") or {}).get("return_url")
        buttons = ""
        for outcome, label, redirect in (("succeeded", "Approve", "succeeded"), ("failed", "Refuse", "failed")):
            then = _then(back, intent, redirect) if back else ""
            path = f"/_stand_in/payment_intents/{intent['id']}/authenticate"
            buttons += button(label, path, f'{{"outcome": "{outcome}"}}', then)
        return _page("Approve a payment", f"Somebody asks for {amount}.", buttons)

    def _object(self, kind: str, id: str) -> Json | None:
        owner = self._service.store.owner(kind, id)
        return None if owner is None else self._service.store.get(owner, kind, id)


def button(label: str, path: str, body: str, then: str) -> str:
    """A button that posts to a control, and then goes somewhere."""
    attributes = {"data-path": path, "data-body": body, "data-then": then}
    written = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<button {written}>{html.escape(label)}</button>"


def _then(back: str, intent: Json, status: str) -> str:
    joint = "&" if "?" in back else "?"
    return (
        f"{back}{joint}payment_intent={intent['id']}&payment_intent_client_secret={intent['client_secret']}"
        f"&redirect_status={status}"
    )


def _page(title: str, text: str, buttons: str) -> Answer:
    page = PAGE.format(title=html.escape(title), text=html.escape(text), buttons=buttons)
    return Answer(200, page.encode(), HTML)
