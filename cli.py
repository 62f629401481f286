"""Launcher for a checkout: `python cli.py train ...`. The command line itself is charlstm/cli/main.py."""

from charlstm.cli.main import main

if __name__ == "__main__":
    main()
