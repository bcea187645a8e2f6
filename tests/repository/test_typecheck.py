"""scripts.typecheck links functions under package names, and its messages name the real files."""

from scripts import typecheck


def test_function_with_a_hyphen_is_linked_as_a_package_and_reported_by_folder(tmp_path):
    functions, links = tmp_path / "functions", tmp_path / "cache" / "links"
    for name in ("book", "manage-events"):
        (functions / name).mkdir(parents=True)
        (functions / name / "app.py").write_text("x = 1\n")
    (functions / "empty").mkdir()

    typecheck.link_functions(functions, links)
    folder = typecheck.link_functions(functions, links)

    assert sorted(link.name for link in folder.iterdir()) == ["book", "manage_events"]
    assert (folder / "manage_events" / "app.py").read_text() == "x = 1\n"
    said = typecheck.real_names("cache/links/functions/manage_events/app.py:1: error\n", functions, links)
    assert said == "functions/manage-events/app.py:1: error\n"
