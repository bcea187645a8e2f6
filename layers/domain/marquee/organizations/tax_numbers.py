"""Numbers of the value-added tax: validated by the rules of each country, with its check digits."""

from marquee.core.errors import Refused

_RULES_OF = {"LI": "CH"}
"""Countries that use the numbers of another country: Liechtenstein and Switzerland share one area of the tax."""

LENGTH_MIN, LENGTH_MAX = 4, 20


def compact(country: str, number: str) -> str:
    """Return a tax number without spaces and punctuation, if it is valid in the country.

    A country without known rules accepts any 4 to 20 letters and digits. Refuses: 422 tax_number_not_valid.
    """
    # Imported here, because few requests need it.
    from stdnum import get_cc_module
    from stdnum.exceptions import ValidationError

    rules = get_cc_module(_RULES_OF.get(country, country).lower(), "vat")
    if rules is None:
        plain = "".join(character for character in number.upper() if character not in " .-/")
        if not (plain.isascii() and plain.isalnum() and LENGTH_MIN <= len(plain) <= LENGTH_MAX):
            raise Refused(422, "tax_number_not_valid", country=country)
        return plain
    try:
        return str(rules.validate(number))
    except ValidationError:
        raise Refused(422, "tax_number_not_valid", country=country) from None
