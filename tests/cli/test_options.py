"""What the commands have in common on their command lines."""

from __future__ import annotations

import click
import pytest

from charlstm.cli.group import cli


@pytest.mark.parametrize("command", list(cli.commands))
def test_what_is_wrong_with_a_path_is_said_by_whoever_opens_it(command: str) -> None:
    """By click, where reading is not allowed, in four lines, and of outputs, too, which nobody reads."""
    paths = [one for one in cli.commands[command].params if isinstance(one.type, click.Path)]
    assert paths
    assert [one.name for one in paths if isinstance(one.type, click.Path) and one.type.readable] == []
