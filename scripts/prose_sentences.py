"""Split prose into sentences and words. Code in a sentence counts as one word."""

import re
from dataclasses import dataclass

from scripts.prose_blocks import CODE, Block


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence without its code, and the line where it starts."""

    line: int
    text: str


_END = re.compile(r"[.!?][\"'”»)\]]*\s+(?=[\"'“«(\[]*[A-Za-z0-9])")
_ABBREVIATION = re.compile(r"\b(e\.g|i\.e|vs|cf|approx|resp|incl)\.\s+$", re.IGNORECASE)
_BEFORE_NUMBER = re.compile(r"\b(no|nos|p|pp)\.\s+$", re.IGNORECASE)
_BEFORE_LOWER = re.compile(r"\betc\.\s+$|\.\.\.?\s+$", re.IGNORECASE)
_TOKENS = (
    re.compile(r"``[^`]*``|`[^`]*`"),
    re.compile(r"<[^<>\s]+>|https?://\S*[\w/]"),
    re.compile(r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"),
    re.compile(r"%\(?\w*\)?[sdr]\b|%[IL]\b|\$\w+"),
    re.compile(r"(?<![\w/])/[\w{}<>./*-]*[\w{}<>/*]|\b[\w{}-]*[/_](?:[\w{}/_.*-]*[\w{}/*])?(\(\))?|\b\w+\(\)"),
    re.compile(r"\b(?!e\.g\b|i\.e\b)[a-z0-9]+(\.[a-z_0-9]+)+\b"),
    re.compile(r"\b[a-z]+[A-Z]\w*\b|\b[A-Z][a-z]+[A-Z]\w*\b"),
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_WORD = re.compile(r"[A-Za-zÀ-ÿ]+(?:['’-][A-Za-zÀ-ÿ]+)*|\d[\d.,:]*")


def sentences_of(block: Block) -> list[Sentence]:
    """Split a paragraph into sentences, with code replaced by one word that no rule matches."""
    text = ""
    starts: list[tuple[int, int]] = []
    for number, line in block.lines:
        starts.append((len(text), number))
        text += f"{line} "
    text = _LINK.sub(lambda match: match.group(1).ljust(len(match.group())), text)
    for token in _TOKENS:
        text = token.sub(lambda match: CODE.ljust(len(match.group()))[: max(len(match.group()), len(CODE))], text)
    text = re.sub(r"\*\*|__", "  ", text)
    found: list[Sentence] = []
    start = 0
    ends = [match.end() for match in _END.finditer(text) if _is_end(text, match.end())]
    for end in [*ends, len(text)]:
        sentence = text[start:end]
        if _WORD.search(sentence):
            offset = start + len(sentence) - len(sentence.lstrip())
            place = next(number for position, number in reversed(starts) if position <= offset)
            found.append(Sentence(place, " ".join(sentence.split())))
        start = end
    return found


def _is_end(text: str, place: int) -> bool:
    """Return whether a full stop before a place ends a sentence. The one of an abbreviation does not."""
    before, follower = text[max(0, place - 16) : place], text[place:].lstrip("\"'“«([")[:1]
    return not (
        _ABBREVIATION.search(before)
        or (follower.isdigit() and _BEFORE_NUMBER.search(before))
        or (follower.islower() and _BEFORE_LOWER.search(before))
    )


def words_in(sentence: Sentence) -> list[str]:
    """Return the words of a sentence. Code counts as one word, and a list of refusals after a colon as none."""
    return _WORD.findall(re.sub(r"^((?:Refuses|Raises)\b[^:]*):.*", r"\1", sentence.text))
