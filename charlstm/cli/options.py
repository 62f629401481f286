"""What the commands have in common on their command lines: options, and the messages of wrong usage."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from ..config import NORMALIZATIONS
from ..data.raw import from_bytes
from ..errors import UsageError
from .console import write

_F = TypeVar("_F", bound=Callable[..., Any])


PATH = click.Path(readable=False)
"""A path as it was typed: whoever opens it says what is wrong with it, in one line; click would take four."""


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


def setting(settings: type, name: str, *flags: str, flag: str | None = None, **extra: Any) -> Callable[[_F], _F]:
    """An option for a field of a settings class: its help, type and default come from the field, and so does its name.

    Args:
        settings, name: the class and the field.
        flags: other names of the option.
        flag: another name in place of the field's.
        extra: what click is told besides.
    """
    field = next(f for f in dataclasses.fields(settings) if f.name == name)
    flag = flag or f"--{name.replace('_', '-')}"
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


DECODING = ("encoding", "encoding_errors", "normalize")
"""Parameters that say how bytes become characters."""


def refuse_typed(names: Iterable[str], why: str) -> None:
    """Refuse options that contradict what a command has found out.

    Args:
        names: of the parameters.
        why: what is said before the option.

    Raises:
        UsageError: one of them stands on the command line.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise UsageError(f"{why}; leave out {max(parameter.opts, key=len)}")


def refuse_decoding() -> None:
    """Refuse all that says how bytes become characters: the model reads bytes.

    Raises:
        UsageError: some of it was typed.
    """
    refuse_typed(DECODING, "this is a model of bytes, which reads a text as it is")


def typed_text(argument: str, *, as_bytes: bool) -> str:
    """An argument as UTF-8 whatever the locale, or its bytes as in `data.raw`; undoes how Python decoded it.

    Raises:
        UsageError: it is not UTF-8, and should be.
    """
    typed = os.fsencode(argument)
    if as_bytes:
        return from_bytes(typed)
    try:
        return typed.decode("utf-8")
    except UnicodeError as error:
        raise UsageError(f"{typed!r:.80} is not UTF-8, as prompts and --stop must be") from error
