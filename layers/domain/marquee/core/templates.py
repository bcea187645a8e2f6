"""Jinja2 environments over the templates of a package.

A template that prints a missing value raises, so that a text with a gap is never sent. HTML escapes every value. Each
template is compiled once per environment.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from marquee.core import locales

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

Filter = Callable[..., Any]
"""Takes a language's code and the value to format; more arguments may follow."""

FILTERS: Mapping[str, Filter] = {
    "day": locales.day,
    "day_and_time": locales.day_and_time,
    "money": locales.money,
    "number": locales.number,
    "percent": locales.percent,
}
"""The filters of every template."""


def environment(
    package: str, folder: str, *, is_html: bool, filters: Mapping[str, Filter] | None = None
) -> "Environment":
    """Return an environment for the templates in a folder of a package. Keep it: it holds the compiled templates.

    Each filter formats its value in the language that the template is rendered with (`language`).
    """
    # Loading Jinja2 takes some 65 ms, and most functions render nothing.
    from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context

    made = Environment(
        loader=PackageLoader(package, folder),
        autoescape=is_html,  # noqa: S701 - plain text has no markup to escape
        undefined=StrictUndefined,
        finalize=_present,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for name, write in {**FILTERS, **(filters or {})}.items():
        made.filters[name] = pass_context(_in_language(write))
    made.filters["present"] = _present  # for values that are formatted into a phrase
    return made


def _in_language(write: Filter) -> Callable[..., Any]:
    def formatted(context: "Context", *values: Any) -> Any:
        for value in values:
            _present(value)  # Babel would print today's date for None
        return write(context["language"], *values)

    return formatted


def _present(value: Any) -> Any:
    if value is None:
        raise ValueError("A template uses an optional value that is missing. Test for it first.")
    str(value)  # raises for a value that is undefined
    return value
