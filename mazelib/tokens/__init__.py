"""Mazes as token sequences, in three schemes, and back.

In: a `Sample`: a maze, an origin, a target and a path. Out: its tokens, as text or as
ids `[batch, pos]`; and from tokens the sample again, or an error that names the token.

    tokenizer = Tokenizer(side=5)
    text = tokenizer.to_text(tokenizer.encode(*sample))
    tokenizer.parse(text).path
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "tokenizer": ["SCHEMES", "Edges", "Sample", "Tokenizer"],
        "parsing": ["TokenError", "parse_tokens"],
    },
)
