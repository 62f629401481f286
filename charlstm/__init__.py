"""charlstm learns to write like a text: a character-level stacked LSTM, trained, sampled and scored.

    import charlstm
    model = charlstm.train("book.txt", output="book.safetensors", minutes=5)
    print(model.sample("Once ", length=200, seed=1))
    print(model.score("Once upon a time").bits_per_char)
    model = charlstm.load("book.safetensors")

The command line is `charlstm train | sample | eval | info | inspect`. Importing this package imports nothing heavy:
each name is fetched when it is first used.
"""

TYPE_CHECKING = False  # imports nothing, not even typing: Ctrl-C is caught only after this module has run
if TYPE_CHECKING:
    from .api import Model, load, resume, train
    from .config import SampleSettings
    from .errors import CharlstmError, DivergedError, ModelFileError, OutputError, TextError, UsageError
    from .inference.scoring import Score
    from .training.reports import Progress

__version__ = "0.1.0"

_HOMES = {
    "CharlstmError": "errors",
    "DivergedError": "errors",
    "Model": "api",
    "ModelFileError": "errors",
    "OutputError": "errors",
    "Progress": "training.reports",
    "SampleSettings": "config",
    "Score": "inference.scoring",
    "TextError": "errors",
    "UsageError": "errors",
    "load": "api",
    "resume": "api",
    "train": "api",
}
__all__ = [
    "CharlstmError",
    "DivergedError",
    "Model",
    "ModelFileError",
    "OutputError",
    "Progress",
    "SampleSettings",
    "Score",
    "TextError",
    "UsageError",
    "__version__",
    "load",
    "resume",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'charlstm' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
