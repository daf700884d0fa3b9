"""A page in the browser to play with a model, its tokenizer, its tasks and its training text."""
