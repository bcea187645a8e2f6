"""Plays the main story on the running system, chapter by chapter; every step is a real call over HTTP.

python -m demo.story            (or: make demo)
"""

import sys

from demo import story_of_money, story_of_ratings, story_of_seats
from demo.system import Stopped, System


def main() -> int:
    """Run the story. Returns 1 if it had to stop."""
    try:
        system = System()
        story_of_seats.tell(system)
        story_of_money.tell(system)
        story_of_ratings.tell(system)
    except Stopped as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
