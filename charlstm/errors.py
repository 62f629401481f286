"""The exception tree. Knows nothing about the rest of the package.

    CharlstmError               anything that a user can put right
    |- UsageError               the request contradicts itself or is out of range (exit status 2)
    |- TextError                a text cannot be read, decoded or trained on
    |- ModelFileError           a model file is missing, broken, hostile or of another format
    |- OutputError              a result cannot be written, or would overwrite something
    |- DivergedError            training went to infinity and did not come back
    `- ProcessGroupError        of several processes that train together, one failed or cannot be reached

Each message names the thing and the remedy. The command line turns any of them into one line on standard
error and the exit status below; the library raises them and prints nothing.
"""

from __future__ import annotations

LONGEST_MESSAGE = 280
"""Characters of a message: what a user gave, a whole chapter where a file was meant, may stand in it.

With what the command line writes before it, the line stays below 300.
"""


def counted(count: int, thing: str) -> str:
    """So many of a thing, in words: 1 step, 2 steps, 1,000 steps."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


class CharlstmError(Exception):
    """Anything that goes wrong and that a user can put right; a long message is cut in its middle."""

    exit_status = 1

    def __str__(self) -> str:
        message = super().__str__()
        if len(message) < LONGEST_MESSAGE:
            return message
        half = LONGEST_MESSAGE // 2 - 5
        return f"{message[:half]} ... {message[-half:]}"


class UsageError(CharlstmError, ValueError):
    """A setting is out of range, or two settings contradict each other."""

    exit_status = 2


class TextError(CharlstmError):
    """A text cannot be read, cannot be decoded, or is too short for what is asked."""


class ModelFileError(CharlstmError):
    """A model or resume file is missing, cut short, hostile, or of another format."""


class OutputError(CharlstmError):
    """A result cannot be written where it was asked for."""


class DivergedError(CharlstmError):
    """The training loss became infinite again and again."""


class ProcessGroupError(CharlstmError):
    """Of several processes that train together, one ended, failed, or cannot be reached."""
