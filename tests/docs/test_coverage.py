"""The coverage page says what is there."""

from docs import make_coverage


def test_the_coverage_page_is_true() -> None:
    written = (make_coverage.HERE / "coverage.md").read_text()
    assert written == make_coverage.page(), "run `python -m docs.make_coverage`"
