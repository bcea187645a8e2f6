"""Plays the main story on the running system, chapter by chapter; every step is a real call over HTTP.

python -m demo.story            (or: make demo)
python -m demo.story studio     (or: make demo CHAPTER=studio)
"""

import argparse
import sys
from collections.abc import Callable

from demo import money_chapter, ratings_chapter, seats_chapter, studio_chapter
from demo.system import Stopped, System

CHAPTERS: dict[str, Callable[[System], None]] = {
    "studio": studio_chapter.run,
    "seats": seats_chapter.run,
    "money": money_chapter.run,
    "ratings": ratings_chapter.run,
}


def main() -> int:
    """Run the story. Returns 1 if it had to stop."""
    parser = argparse.ArgumentParser(prog="python -m demo.story", description="Play the story on the running system.")
    parser.add_argument("chapters", nargs="*", metavar="chapter", help=f"default: all of {', '.join(CHAPTERS)}")
    chosen = parser.parse_args().chapters or list(CHAPTERS)
    for unknown in set(chosen) - CHAPTERS.keys():
        parser.error(f"there is no chapter {unknown!r}; choose from {', '.join(CHAPTERS)}")
    try:
        system = System()
        for name in chosen:
            CHAPTERS[name](system)
    except Stopped as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
