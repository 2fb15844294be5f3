"""``python -m cleo_like`` is the command line."""

from cleo_like.cli import main

if __name__ == "__main__":
    main(prog_name="cleo-like")
