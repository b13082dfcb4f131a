"""The commands of `python -m mazelib`, each a dataclass of flags with a `run` method.

Importing them is cheap: what is heavy is imported when a command runs.
"""
