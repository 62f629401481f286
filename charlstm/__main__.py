"""`python -m charlstm` is the command line."""

from charlstm.cli.main import main

if __name__ == "__main__":
    main()
