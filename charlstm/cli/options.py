"""What the commands have in common on their command lines: options, and the messages of wrong usage."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..config import NORMALIZATIONS
from ..errors import UsageError
from .console import write

_F = TypeVar("_F", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose help goes to standard output as data does, and that says how to type a leading dash.

    Attributes:
        dash_hint: what the user may have meant by an option that is none.
    """

    dash_hint = "for a file whose name begins with a dash, write ./ before it"

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The option --help."""
        return _written(super().get_help_option(ctx))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line; to what is no option, a hint is added."""
        typed = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            unknown = isinstance(error, click.NoSuchOption) and not error.possibilities
            if unknown or any(argument.startswith("-") and " " in argument for argument in typed):
                raise click.UsageError(
                    f"{error.format_message().rstrip('.')}; {self.dash_hint}", ctx=error.ctx
                ) from error
            raise


class Group(click.Group):
    """A group whose commands stand in the order in which they were added."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The option --help."""
        return _written(super().get_help_option(ctx))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(self.commands)


def _written(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.callback = _show_help
    return option


def _show_help(context: click.Context, _parameter: object, wanted: Any) -> None:
    if wanted and not context.resilient_parsing:
        write(context.get_help() + "\n")
        context.exit()


def setting(settings: type, name: str, *flags: str, **extra: Any) -> Callable[[_F], _F]:
    """An option for a field of a settings class: its help, type and default come from the field."""
    field = next(f for f in dataclasses.fields(settings) if f.name == name)
    flag = f"--{name.replace('_', '-')}"
    declared = str(field.type)
    options: dict[str, Any] = {"help": field.metadata["help"], "default": field.default}
    if declared.startswith("bool"):
        options["is_flag"] = True
    elif declared.startswith(("int", "float")):
        options["type"] = int if declared.startswith("int") else float
    options["show_default"] = field.default is not None and field.default is not False and field.default != ()
    return click.option(*flags, flag, name, **{**options, **extra})


def decoding_options(command: _F) -> _F:
    """How bytes become characters."""
    command = click.option(
        "--encoding-errors",
        type=click.Choice(["strict", "replace"]),
        default="strict",
        show_default=True,
        help="what to do with bytes that do not decode",
    )(command)
    return click.option("--encoding", default="utf-8", show_default=True, help="encoding of the text, such as latin-1")(
        command
    )


def reading_options(command: _F) -> _F:
    """How a trained model reads text."""
    command = click.option(
        "--normalize",
        type=click.Choice(NORMALIZATIONS),
        help="read text in this Unicode normalization form: a letter and its combining accent as one character "
        "(default: as the model was trained)",
    )(command)
    return decoding_options(command)


def device_option(command: _F) -> _F:
    """Where to compute what needs no training."""
    return click.option(
        "--device",
        type=click.Choice(["cpu", "cuda", "mps"]),
        default="cpu",
        show_default=True,
        help="where to compute; all but cpu start about a second later",
    )(command)


def as_utf8(_context: object, _parameter: object, value: Any) -> Any:
    """A click callback: arguments as UTF-8 whatever the locale; undoes how Python decoded them."""
    if isinstance(value, tuple):
        return tuple(as_utf8(None, None, entry) for entry in value)
    try:
        return None if value is None else os.fsencode(value).decode("utf-8")
    except UnicodeError as error:
        raise UsageError(f"{value!r} is not UTF-8") from error
