"""Rewrite every snapshot and delete obsolete ones."""

from tests.kit import snapshots


def main() -> None:
    """Write the snapshots and print the names of those that changed."""
    now, before = snapshots.rendered(), snapshots.stored()
    for path in before.keys() - now.keys():
        (snapshots.FOLDER / path).unlink()
    for path, text in now.items():
        file = snapshots.FOLDER / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    changed = sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
    print("\n".join(changed) or "Nothing has changed.")


if __name__ == "__main__":
    main()
