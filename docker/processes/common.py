"""Where the files lie, and how to say that something is wrong with them."""
import os

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REPOSITORY = os.path.dirname(HERE)


class Problem(Exception):
    pass


def say(text):
    print(text, flush=True)
