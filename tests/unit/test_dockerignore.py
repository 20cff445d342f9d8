"""Docker's own rules for what a context leaves out."""

import pytest

from iop.dockerignore import ignored

SECRETS = ".iop/secrets"


@pytest.mark.parametrize(
    "lines",
    [
        [".iop"],
        [".iop/"],
        ["/.iop"],
        ["./.iop"],
        [".iop/secrets"],
        [".iop/*"],
        [".iop/**"],
        ["**/.iop"],
        ["**/secrets"],
        ["*"],
        ["**"],
        [".i?p"],
        ["# comment", "", "  .iop  "],
        ["*", "!app.py"],
        ["!.iop", ".iop"],
    ],
)
def test_left_out(lines):
    assert ignored(SECRETS, lines)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["secrets"],
        [".iop-old"],
        ["xiop"],
        ["#.iop"],
        ["*.py"],
        ["site/.iop"],
        ["*", "!.iop"],
        [".iop", "!.iop/secrets"],
    ],
)
def test_not_left_out(lines):
    assert not ignored(SECRETS, lines)
