"""YAML and JSON documents: the values that they yield, and the position of an error."""

from pathlib import Path
from typing import Any

import pytest

from local import documents
from local.intrinsics import TemplateError

DEEP = "[" * 100_000
AMPLIFIED = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 2012-10-17", {"a": "2012-10-17"}),
        ("a: !!timestamp 2012-10-17", {"a": "2012-10-17"}),
        ("012345678901: {on: no}", {"012345678901": {"on": False}}),
        ("a: !GetAtt A.B.C", {"a": {"Fn::GetAtt": ["A", "B.C"]}}),
        ("a: !If [C, !Ref A, !Sub '${B}']", {"a": {"Fn::If": ["C", {"Ref": "A"}, {"Fn::Sub": "${B}"}]}}),
        ("a: !Condition C", {"a": {"Condition": "C"}}),
        ("a: !Transform {Name: M}", {"a": {"Fn::Transform": {"Name": "M"}}}),
        ("a: &x {k: 1}\nb: {<<: *x, l: 2}\nc: *x", {"a": {"k": 1}, "b": {"k": 1, "l": 2}, "c": {"k": 1}}),
        ('{\n\t"a": 1\n}', {"a": 1}),
        ("# comment\n{a: 1}", {"a": 1}),
        ("a: 1\r\nb:\r\n  - 2\r\n", {"a": 1, "b": [2]}),
        ("a: !!binary aGk=\nb: !!set {x}", {"a": "aGk=", "b": ["x"]}),
    ],
)
def test_document_is_parsed_into_plain_values(text: str, expected: Any) -> None:
    assert documents.parse(text, Path("t.yaml")) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbfa: 1\r\n", {"a": 1}),
        ("a: é".encode("utf-16"), {"a": "é"}),
        ("a: é".encode(), {"a": "é"}),
    ],
)
def test_file_may_have_a_byte_order_mark(tmp_path: Path, content: bytes, expected: Any) -> None:
    (tmp_path / "t.yaml").write_bytes(content)

    assert documents.read(tmp_path / "t.yaml") == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a:\n\tb: 1", r"line 2, column 1: "),
        (b"a: [1,\n  b: {", r"line \d, column \d+: "),
        (b"a: 1\n b: 2", r"line 2, column 3: "),
        (b"a: *nobody", r"line 1, column 4: "),
        (b"a: 1\n{{word}}: 2", r"line 2, column \d+: a key is a mapping or a list"),
        (b"a: 1\nb: \x00", r"line 2, column 4: a character that YAML does not allow"),
        (b"a: 1\nb: \xff\xfe", r"line 2, column 4: this is not UTF-8 text"),
        (b"a: !!python/object:os.system x", r"line 1, column 4: "),
        (b"a: 1\n---\nb: 2", r"line 2, column 1: "),
        (b"a: !!int x", "a value that YAML cannot read"),
        (b"a: &a [*a]", "never end"),
        (AMPLIFIED.encode(), "expand to more than"),
        (DEEP.encode(), "nested too deeply"),
        (b"- a", "is not a template"),
        (b"", "is not a template"),
    ],
)
def test_unreadable_text_is_refused_with_its_position(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "t.yaml").write_bytes(content)

    with pytest.raises(TemplateError, match=said):
        documents.read(tmp_path / "t.yaml")


def test_unreadable_json_is_refused_with_its_position(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{\n  "a": 1\n  "b": 2\n}')

    with pytest.raises(TemplateError, match="line 3, column 3"):
        documents.read(tmp_path / "t.json")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"nothing\.yaml cannot be read: No such file"):
        documents.read(tmp_path / "nothing.yaml")
