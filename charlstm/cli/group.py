"""The group of commands, and what `charlstm --help` and `--version` print."""

from __future__ import annotations

from typing import Any

import click

from .. import __version__
from .console import write
from .eval import evaluate
from .info import info
from .inspect import inspect
from .options import Group
from .sample import sample
from .train import train


def _show_version(context: click.Context, _parameter: object, wanted: Any) -> None:
    if wanted:
        write(f"charlstm, version {__version__}\n")
        context.exit()


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="show the version"
)
def cli() -> None:
    """Learn to write like a text.

    \b
      charlstm train book.txt                       # ten minutes later: book.safetensors
      echo 'Once upon' | charlstm sample book.safetensors
      charlstm eval book.safetensors < other.txt    # how well does it predict this?
    """


for command in (train, sample, evaluate, info, inspect):
    cli.add_command(command)
