"""Where MAZELIB_NO_SKIPS is set, a test that would be skipped fails.

Tests of built pages are skipped where there is no book or no browser. CI has both; were
one missing there, nothing would tell but this.
"""

import os

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """The report of a test, which is a failure if it was to be skipped."""
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if skipped and os.environ.get("MAZELIB_NO_SKIPS"):
        *_, reason = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"MAZELIB_NO_SKIPS is set, and this was to be left: {reason}"
    return report
