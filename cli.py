"""Launcher for a checkout: `python cli.py train ...`. The command line itself is charlstm/cli.py."""

from charlstm.cli import main

if __name__ == "__main__":
    main()
