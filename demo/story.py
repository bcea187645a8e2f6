"""Plays the main story on the running system, chapter by chapter; every step is a real call over HTTP.

python -m demo.story            (or: make demo)
"""

import sys

from demo import money_chapter, ratings_chapter, seats_chapter
from demo.system import Stopped, System


def main() -> int:
    """Run the story. Returns 1 if it had to stop."""
    try:
        system = System()
        seats_chapter.run(system)
        money_chapter.run(system)
        ratings_chapter.run(system)
    except Stopped as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
