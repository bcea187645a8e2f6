"""Types of the texts that people read: no control characters, and nothing that turns round the text beside them.

    class EventCancellation(Request):
        reason: Annotated[Text, Field(max_length=500)] | None = None

The database keeps the same rules in its constraints, by `ops.is_line`, `ops.is_text`, `users.is_name` and
`ops.is_address`. Migrations 0076 and 0084 say which characters they refuse and why. A test compares the two, character
by character.
"""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field

NAME_LENGTH_MAX = 200
ADDRESS_LENGTH_MAX = 254

_TURNING = r"\u2028-\u202e\u2066-\u206f"
NOT_IN_LINES = rf"\u0000-\u001f\u007f-\u009f{_TURNING}"
_NOT_IN_TEXTS = rf"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f{_TURNING}"
_SHAPELESS = (
    r"\u0020\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u202f\u205f-\u2065\u2800"
    r"\u3000\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
) + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))

LINE_PATTERN = f"^[^{NOT_IN_LINES}]*$"
TEXT_PATTERN = f"^[^{_NOT_IN_TEXTS}]*$"
NAME_PATTERN = f"^[^{NOT_IN_LINES}]*[^{_SHAPELESS}{NOT_IN_LINES}][^{NOT_IN_LINES}]*$"

_ATOM = "[A-Za-z0-9!#$%&'*+/?^_`{|}~=-]+"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")


def is_line(value: str) -> bool:
    """Return whether a text of one line is readable."""
    return re.fullmatch(LINE_PATTERN[1:-1], value) is not None


def is_text(value: str) -> bool:
    """Return whether a text of several lines is readable; it may contain tabs and line ends."""
    return re.fullmatch(TEXT_PATTERN[1:-1], value) is not None


def is_name(value: str) -> bool:
    """Return whether a text is valid as a person's name."""
    return 1 <= len(value) <= NAME_LENGTH_MAX and is_line(value) and re.search(f"[^{_SHAPELESS}]", value) is not None


def is_address(value: str) -> bool:
    """Return whether an e-mail address is one that mailers can write: without quotes, comments and encoded words."""
    return len(value) <= ADDRESS_LENGTH_MAX and "=?" not in value and _ADDRESS.fullmatch(value) is not None


def _checked(is_right: Callable[[str], bool], message: str) -> AfterValidator:
    def check(value: str) -> str:
        if not is_right(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)


Line = Annotated[
    str,
    _checked(is_line, "write one line, without control characters and characters that change its direction"),
    Field(json_schema_extra={"pattern": LINE_PATTERN}),
]
"""A text of one line, such as a title."""

Text = Annotated[
    str,
    _checked(is_text, "write text without control characters (except tabs and line ends) and changes of direction"),
    Field(json_schema_extra={"pattern": TEXT_PATTERN}),
]
"""A text of several lines, such as a description or a reason."""

Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=NAME_LENGTH_MAX,
        description="Visible text, without line breaks, control characters and changes of direction.",
        examples=["Ana"],
        json_schema_extra={"pattern": NAME_PATTERN},
    ),
    _checked(
        is_name,
        "write a name with visible characters, without line breaks, control characters and changes of direction",
    ),
]
"""A person's name."""
